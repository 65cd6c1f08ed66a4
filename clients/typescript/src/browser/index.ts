export const placeholder = 'browser';

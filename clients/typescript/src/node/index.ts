export const placeholder = 'node';

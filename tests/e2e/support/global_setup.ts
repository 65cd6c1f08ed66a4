// Before all tests: what they need is built, or one clear line says what is not.
import { existsSync } from 'node:fs';
import { binary } from './paths.js';
import { missingOfSite } from './site.js';

export default function setup(): void {
  const programs = [binary('seatlockd'), binary('seatlock-edge'), binary('seatctl')];
  const missing = programs.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`./dev build first: there is no ${missing.join(', ')}`);
  const ofSite = missingOfSite();
  if (ofSite.length > 0) throw new Error(`./dev site-build first: no ${ofSite.join(', ')}`);
}

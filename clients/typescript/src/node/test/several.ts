// For tests: several scripted services, in the order in which a showtime prefers them.

import { rankServers } from '../rendezvous.js';
import { ScriptedService } from './scripted_service.js';

/** Whoever starts them stops them. */
export async function startRanked(showtimeId: string, count: number): Promise<ScriptedService[]> {
  const services = await Promise.all(Array.from({ length: count }, () => ScriptedService.start()));
  return rankedFor(showtimeId, services);
}

/** The most preferred first. */
export function rankedFor<Of extends { readonly address: string }>(
  showtimeId: string,
  servers: readonly Of[],
): Of[] {
  const addresses = servers.map(({ address }) => address);
  return rankServers(addresses, showtimeId).flatMap((place) => servers[place] ?? []);
}

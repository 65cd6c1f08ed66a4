// Calls a second of @seatlock/client/node beside a bare grpc-js stub of the same method with the
// same codec: in turn, within one run, so that both meet the same machine. Runs on the built
// package (npm run build -w clients/typescript).
//
//   node clients/typescript/bench/node_bench.mjs [--address HOST:PORT] [--seconds N] [--rounds N]
//     [--in-flight N] [--assert]
//
// Without an address it starts a seatlockd with a store in memory. --assert: exit code 1 below the
// bar.

import { parseArgs } from 'node:util';
import { startService } from '../../../tests/web/support/programs.mjs';
import { createSeatLockClient } from '../dist/node.js';
import { bareStub } from './bare_stub.mjs';

const BAR = 0.85;
const WARM_UP_SECONDS = 1;

const { values: flags } = parseArgs({
  options: {
    address: { type: 'string' },
    seconds: { type: 'string', default: '0.5' },
    rounds: { type: 'string', default: '24' },
    'in-flight': { type: 'string', default: '64' },
    assert: { type: 'boolean', default: false },
  },
});

/** @param {'seconds' | 'rounds' | 'in-flight'} name */
function positive(name) {
  const value = Number(flags[name]);
  if (!(value > 0)) throw new RangeError(`--${name} must be above 0, not ${flags[name]}`);
  return value;
}

/**
 * Locking what one holds changes nothing, so the service's own work stays small and the same.
 * @param {number} lane
 */
const seatOf = (lane) => ({ showtimeId: 'bench', seatId: `A${lane}`, sessionId: `s${lane}` });

/**
 * Calls a second with so many calls in flight, and the CPU time of this process for each, in µs.
 * @param {(lane: number) => Promise<unknown>} call
 * @param {number} inFlight
 * @param {number} seconds
 */
async function measure(call, inFlight, seconds) {
  let calls = 0;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const end = start + seconds * 1000;
  const lane = async (_, index) => {
    while (performance.now() < end) {
      await call(index);
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const { user, system } = process.cpuUsage(cpu);
  return { rate: (calls * 1000) / (performance.now() - start), cpu: (user + system) / calls };
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Both in turn; who goes first alternates. */
async function compare(ours, bare, { rounds, inFlight, seconds }) {
  await measure(ours, inFlight, WARM_UP_SECONDS);
  await measure(bare, inFlight, WARM_UP_SECONDS);
  const rows = [];
  for (let round = 0; round < rounds; ++round) {
    const row = {};
    for (const who of round % 2 ? ['bare', 'ours'] : ['ours', 'bare']) {
      row[who] = await measure(who === 'ours' ? ours : bare, inFlight, seconds);
    }
    rows.push(row);
    console.log(line(round + 1, row.ours, row.bare, row.ours.rate / row.bare.rate));
  }
  return rows;
}

const COLUMNS = [8, 10, 10, 8, 16, 14];
const cells = (...texts) => texts.map((text, i) => String(text).padStart(COLUMNS[i])).join('');

const line = (name, ours, bare, ratio) =>
  cells(
    name,
    `${ours.rate.toFixed(0)}/s`,
    `${bare.rate.toFixed(0)}/s`,
    ratio.toFixed(3),
    `${ours.cpu.toFixed(0)} µs`,
    `${bare.cpu.toFixed(0)} µs`,
  );

/** @param {readonly {rate: number, cpu: number}[]} measured */
const middleOf = (measured) => ({
  rate: median(measured.map(({ rate }) => rate)),
  cpu: median(measured.map(({ cpu }) => cpu)),
});

async function run(address) {
  const seats = createSeatLockClient({ address });
  const { stub, lockSeat } = await bareStub(address);
  try {
    const rounds = positive('rounds');
    const inFlight = positive('in-flight');
    const seconds = positive('seconds');
    console.log(`LockSeat, ${inFlight} in flight, ${rounds} rounds of ${seconds} s each`);
    console.log(cells('round', 'client', 'bare', 'ratio', 'CPU a call', 'bare'));
    const rows = await compare(
      (lane) => seats.lockSeat(seatOf(lane)),
      (lane) => lockSeat(seatOf(lane)),
      { rounds, inFlight, seconds },
    );
    const ratio = median(rows.map(({ ours, bare }) => ours.rate / bare.rate));
    const [ours, bare] = ['ours', 'bare'].map((who) => middleOf(rows.map((row) => row[who])));
    console.log(line('median', ours, bare, ratio));
    console.log(`bar ${BAR}: ${ratio >= BAR ? 'met' : 'missed'}`);
    return ratio >= BAR;
  } finally {
    seats.close();
    stub.close();
  }
}

const service = flags.address === undefined ? await startService() : undefined;
try {
  const met = await run(flags.address ?? service.address);
  if (flags.assert && !met) process.exitCode = 1;
} finally {
  await service?.stop();
}

// For tests: a TCP port on loopback that passes everything on to another one, and can be away.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Whoever makes one stops it. */
export class Forwarder {
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  private constructor(to: number) {
    this.#to = to;
  }

  static async start(address: string): Promise<Forwarder> {
    const forwarder = new Forwarder(Number(address.slice(address.lastIndexOf(':') + 1)));
    await forwarder.start();
    return forwarder;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Again on the same port after a `stop`. */
  async start(): Promise<void> {
    const server = createServer((from) => this.#forward(from));
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Resets what is open, and refuses what comes. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }

  #forward(from: Socket): void {
    const to = connect(this.#to, '127.0.0.1');
    const ends: readonly (readonly [Socket, Socket])[] = [
      [from, to],
      [to, from],
    ];
    for (const [one, other] of ends) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}

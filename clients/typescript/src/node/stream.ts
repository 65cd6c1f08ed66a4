// The messages of one server stream, taken one by one. Holds what gRPC has read ahead (at most 16
// messages) and reads no further until that is taken, so a slow taker slows the stream.

import type { ClientReadableStream, StatusObject } from '@grpc/grpc-js';

export class MessageStream<Message> {
  /** How the stream ended; undefined while it has not, silent or not. */
  status: StatusObject | undefined;
  readonly #call: ClientReadableStream<Message>;
  #cancelled = false;
  #wake: (() => void) | undefined;

  constructor(call: ClientReadableStream<Message>) {
    this.#call = call;
    const wake = () => this.#wake?.();
    call.on('readable', wake);
    call.on('status', (status: StatusObject) => {
      this.status = status;
      wake();
    });
    // Says what `status` says; without a listener it would end the process.
    call.on('error', () => {});
  }

  /** The next message; undefined where the stream has ended, or was silent for `silenceMs`. */
  async next(silenceMs: number): Promise<Message | undefined> {
    const until = performance.now() + silenceMs;
    while (!this.#cancelled) {
      const message = this.#call.read();
      if (message !== null) return message;
      const left = until - performance.now();
      if (this.status !== undefined || left <= 0) return undefined;
      await this.#change(left);
    }
    return undefined;
  }

  /** Ends the stream, and a `next` that waits. */
  cancel(): void {
    this.#cancelled = true;
    this.#call.cancel();
    this.#wake?.();
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }
}

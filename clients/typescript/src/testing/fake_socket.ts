// The WebSocket that a page gets while the fake server is installed. As with a real one, everything
// happens later: open, each message and close come in microtasks of their own, in order.

import type { ClientFrame } from '../browser/protocol.js';

/** The server's end. */
export interface FakePeer {
  /** Called when the page's attempt arrives; false refuses it. */
  accept(socket: FakeSocket): boolean;
  receive(socket: FakeSocket, data: string): void;
  /** The page closed it, or the server did. */
  gone(socket: FakeSocket): void;
}

/** What the server knows of one subscription. */
export interface FakeSubscription {
  readonly sessionId: string | undefined;
  /** `subscribed` was sent, so changes are. */
  active: boolean;
  /** Where it goes on: the page's position, or that of the snapshot it was shown meanwhile. */
  resume: Extract<ClientFrame, { type: 'subscribe' }>['resume'];
  /** When the token that it came with ends, Unix ms; undefined: it came without. */
  tokenEndsAt: number | undefined;
}

export class FakeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly url: string;
  protocol = '';
  readonly extensions = '';
  readonly bufferedAmount = 0;
  binaryType: BinaryType = 'blob';
  readyState: 0 | 1 | 2 | 3 = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;

  readonly subscriptions = new Map<string, FakeSubscription>();
  heartbeat: ReturnType<typeof setInterval> | undefined;
  /** When the first of its tokens ends. */
  tokenEnd: ReturnType<typeof setTimeout> | undefined;
  badMessages = 0;

  constructor(
    url: string | URL,
    private readonly peer: FakePeer,
    private readonly offered: readonly string[] = [],
  ) {
    super();
    this.url = String(url);
    queueMicrotask(() => this.arrive());
  }

  send(data: string): void {
    if (this.readyState === 0) throw new DOMException('still connecting', 'InvalidStateError');
    if (this.readyState === 1) queueMicrotask(() => this.peer.receive(this, data));
  }

  close(code = 1005, reason = ''): void {
    if (this.readyState >= 2) return;
    const opened = this.readyState === 1;
    this.readyState = 2;
    this.leave();
    queueMicrotask(() => this.ended(opened ? code : 1006, reason));
  }

  /** The server's choice of the subprotocols that the page offers; false: it offers others. */
  choose(protocol: string): boolean {
    if (!this.offered.length) return true;
    if (!this.offered.includes(protocol)) return false;
    this.protocol = protocol;
    return true;
  }

  /** From the server: a frame, or any text at all. */
  deliver(data: string): void {
    queueMicrotask(() => {
      if (this.readyState === 1) this.emit('message', new MessageEvent('message', { data }));
    });
  }

  /** From the server, after what was delivered before. 1006: the network broke. */
  end(code: number, reason = ''): void {
    this.leave();
    queueMicrotask(() => this.ended(code, reason));
  }

  /** The same, at once: nothing that was under way arrives. */
  endNow(code: number, reason = ''): void {
    this.leave();
    this.ended(code, reason);
  }

  private arrive(): void {
    if (this.readyState !== 0) return;
    if (!this.peer.accept(this)) {
      this.emit('error', new Event('error'));
      this.ended(1006, '');
      return;
    }
    this.readyState = 1;
    this.emit('open', new Event('open'));
  }

  private leave(): void {
    clearInterval(this.heartbeat);
    clearTimeout(this.tokenEnd);
    this.subscriptions.clear();
    this.peer.gone(this);
  }

  private ended(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    const wasClean = code !== 1006;
    this.emit('close', Object.assign(new Event('close'), { code, reason, wasClean }));
  }

  private emit(name: 'open' | 'message' | 'error' | 'close', event: Event): void {
    const handler = this[`on${name}`] as ((event: Event) => void) | null;
    handler?.call(this, event);
    this.dispatchEvent(event);
  }
}

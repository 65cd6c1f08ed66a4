// Checks what a WebSocket between browser and edge carried: each frame against docs/asyncapi.yaml,
// and all frames of a connection against each other. A FrameLog belongs to one connection.
import {
  isObject,
  type Json,
  type JsonObject,
  type MessageRule,
  messageRules,
  type Sender,
} from './asyncapi.js';

export interface LoggedFrame {
  readonly sender: Sender;
  readonly frame: JsonObject;
  /** When it was seen, by this process's clock in ms. */
  readonly at: number;
}

let compiled: Map<string, MessageRule> | undefined;

function rules(): Map<string, MessageRule> {
  compiled ??= messageRules();
  return compiled;
}

function parseFrame(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** What is wrong with one frame by the file; empty: nothing. */
export function frameBreaches(sender: Sender, text: string): string[] {
  const frame = parseFrame(text);
  if (!isObject(frame)) return ['not a JSON object'];
  const rule = rules().get(String(frame.type));
  if (!rule) return [`the file knows no message ${JSON.stringify(frame.type)}`];
  if (rule.sender !== sender)
    return [`${rule.name} is sent by the ${rule.sender}, not the ${sender}`];
  if (rule.validate(frame)) return [];
  return (rule.validate.errors ?? []).map((e) => `${e.instancePath || '/'} ${e.message}`);
}

// One showtime within a connection: who follows it as whom, and where its history is.
interface Stream {
  sessionId: string | undefined;
  epoch: string;
  revision: number;
  /** A frame with `more` came: the next one continues the same change. */
  unfinished: boolean;
  /** Subscribed anew: frames of the subscription before may still be on their way. */
  renewed: boolean;
}

/** All frames of one connection, checked as they come. Thread-compatible, like all of this. */
export class FrameLog {
  readonly frames: LoggedFrame[] = [];
  readonly breaches: string[] = [];
  private readonly streams = new Map<string, Stream>();

  /** `batch`: the connection's subprotocol is seatlock.v1.batch, so that revisions may jump. */
  constructor(
    readonly url: string,
    private readonly batch = false,
  ) {}

  add(sender: Sender, text: string): void {
    for (const breach of frameBreaches(sender, text)) this.breach(text, breach);
    const frame = parseFrame(text);
    if (!isObject(frame)) return;
    if (sender === 'edge') this.fromEdge(frame, text);
    else this.fromClient(frame);
    this.frames.push({ sender, frame, at: Date.now() });
  }

  /** The edge's frames of a type, in order. */
  received(type: string): JsonObject[] {
    return this.ofType('edge', type);
  }

  sent(type: string): JsonObject[] {
    return this.ofType('client', type);
  }

  private ofType(sender: Sender, type: string): JsonObject[] {
    return this.frames
      .filter((f) => f.sender === sender && f.frame.type === type)
      .map((f) => f.frame);
  }

  private breach(text: string, what: string): void {
    this.breaches.push(`${what}: ${text.slice(0, 300)}`);
  }

  private fromClient(frame: JsonObject): void {
    if (frame.type !== 'subscribe' || typeof frame.showtimeId !== 'string') return;
    const sessionId = typeof frame.sessionId === 'string' ? frame.sessionId : undefined;
    const resume = isObject(frame.resume) ? frame.resume : {};
    this.streams.set(frame.showtimeId, {
      sessionId,
      epoch: String(resume.epoch ?? ''),
      revision: Number(resume.revision ?? 0),
      unfinished: false,
      renewed: this.streams.has(frame.showtimeId),
    });
  }

  private fromEdge(frame: JsonObject, text: string): void {
    const first = !this.frames.some((f) => f.sender === 'edge');
    if (first !== (frame.type === 'connection_established')) {
      this.breach(text, 'connection_established is the first frame, and that alone');
    }
    if (frame.type === 'unsubscribed') this.unsubscribed(frame);
    else if (frame.type !== 'error' && typeof frame.showtimeId === 'string') {
      this.ofShowtime(frame.showtimeId, frame, text);
    }
  }

  private ofShowtime(showtimeId: string, frame: JsonObject, text: string): void {
    const stream = this.streams.get(showtimeId);
    if (!stream) {
      this.breach(text, 'nobody subscribed to this showtime');
      return;
    }
    if (frame.type === 'subscribed') this.subscribed(stream, frame, text);
    if (frame.type === 'current_seat_status') this.snapshot(stream, frame, text);
    if (frame.type === 'seat_status_change') this.change(stream, frame, text);
    if (frame.type === 'seat_changes') this.changes(stream, frame, text);
  }

  private unsubscribed(frame: JsonObject): void {
    if (typeof frame.showtimeId === 'string') this.streams.delete(frame.showtimeId);
    else this.streams.clear();
  }

  private subscribed(stream: Stream, frame: JsonObject, text: string): void {
    stream.renewed = false;
    // Where it recovered, the changes after the client's own position follow.
    if (frame.recovered === true && frame.epoch !== stream.epoch) {
      this.breach(text, 'recovered into another history');
    }
    if (frame.recovered === false) this.snapshot(stream, frame, text);
  }

  private snapshot(stream: Stream, frame: JsonObject, text: string): void {
    const revision = Number(frame.revision);
    if (stream.unfinished) this.breach(text, 'comes between the frames of one change');
    if (frame.epoch === stream.epoch && revision < stream.revision) {
      this.breach(text, `older than revision ${stream.revision}, which was shown`);
    }
    stream.epoch = String(frame.epoch);
    stream.revision = revision;
    stream.renewed = false;
  }

  private change(stream: Stream, frame: JsonObject, text: string): void {
    if (stream.renewed) return;
    const revision = Number(frame.revision);
    // An order cancelled before it was placed would skip a revision; these tests make none.
    if (revision !== stream.revision + 1) {
      this.breach(text, `a change was missed or repeated after revision ${stream.revision}`);
    }
    if (frame.sessionId !== undefined && frame.sessionId !== stream.sessionId) {
      this.breach(text, 'tells of another session');
    }
    stream.unfinished = frame.more === true;
    if (!stream.unfinished) stream.revision = revision;
    if (typeof frame.epoch === 'string') stream.epoch = frame.epoch;
    if (this.batch) this.breach(text, 'single changes under seatlock.v1.batch');
  }

  private changes(stream: Stream, frame: JsonObject, text: string): void {
    if (stream.renewed) return;
    const revision = Number(frame.revision);
    if (revision <= stream.revision) {
      this.breach(text, `not after revision ${stream.revision}`);
    }
    stream.revision = revision;
    stream.epoch = String(frame.epoch);
    if (!this.batch) this.breach(text, 'a batch without seatlock.v1.batch');
  }
}

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A message on its way from the broker to a durable consumer. */
export interface Delivery {
  /** `millrace.evt.registry.alias.moved.v1` */
  readonly subject: string;
  /** Name of the durable consumer. */
  readonly consumer: string;
  /** Position in the stream. */
  readonly streamSequence: number;
  /** Times that the broker delivered it to the consumer. */
  readonly delivered: number;
  /** NATS headers and body as they are on the wire. */
  readonly headers: string;
}

/** What becomes of it. Header values may be replaced; what is delayed lets others pass. */
export type Fate =
  | { readonly kind: 'pass' }
  /** Never comes, and the broker is told that it was handled. */
  | { readonly kind: 'lose' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** Comes again after a time, in a copy whose event id is replaced when one is given. */
  | { readonly kind: 'repeat'; readonly afterMs: number; readonly id?: string };

const pass: Fate = { kind: 'pass' };
const lineEnd = Buffer.from('\r\n');
const ack = '+ACK';

/**
 * Stands between clients and a broker, reads the NATS protocol and decides for each event that is delivered to a
 * durable consumer what becomes of it. Everything else passes untouched.
 */
export class NatsProxy {
  readonly url: string;
  /** Of each kind of fate but `pass`, how many met it. */
  readonly counts = { lose: 0, delay: 0, repeat: 0 };
  readonly #close: () => void;
  #decide: (delivery: Delivery) => Fate = () => pass;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  static async start(brokerUrl: string): Promise<NatsProxy> {
    const target = new URL(brokerUrl);
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const broker = connect(Number(target.port), target.hostname);
      for (const socket of [client, broker]) {
        sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          sockets.delete(socket);
          client.destroy();
          broker.destroy();
        });
      }
      proxy.#join(client, broker);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const proxy = new NatsProxy(`nats://127.0.0.1:${port}`, () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return proxy;
  }

  /** From now on; `undefined` lets everything pass. */
  tamper(decide: ((delivery: Delivery) => Fate) | undefined): void {
    this.#decide = decide ?? (() => pass);
  }

  close(): void {
    this.#close();
  }

  #join(client: Socket, broker: Socket): void {
    // What the client sends goes through whole, so that an ack of ours can come between two of its messages.
    const toBroker = new FrameReader((frame) => broker.write(frame.bytes));
    client.on('data', (piece: Buffer) => toBroker.push(piece));
    const toClient = new FrameReader((frame) => this.#forward(frame, client, broker));
    broker.on('data', (piece: Buffer) => toClient.push(piece));
  }

  #forward(frame: Frame, client: Socket, broker: Socket): void {
    const delivery = deliveryOf(frame);
    const fate = delivery === undefined ? pass : this.#decide(delivery);
    if (fate.kind !== 'pass') this.counts[fate.kind] += 1;
    const later = (bytes: Buffer, ms: number) =>
      setTimeout(() => {
        if (!client.destroyed) client.write(bytes);
      }, ms);
    switch (fate.kind) {
      case 'pass':
        client.write(frame.bytes);
        return;
      case 'lose':
        broker.write(`PUB ${frame.reply} ${ack.length}\r\n${ack}\r\n`);
        return;
      case 'delay':
        later(frame.bytes, fate.ms);
        return;
      case 'repeat':
        client.write(frame.bytes);
        later(fate.id === undefined ? frame.bytes : withEventId(frame, fate.id), fate.afterMs);
    }
  }
}

interface Frame {
  /** The whole frame with its line ends. */
  readonly bytes: Buffer;
  /** First line, split. */
  readonly words: readonly string[];
  readonly reply: string;
  readonly headers: Buffer;
  readonly body: Buffer;
}

/** Cuts a stream of bytes into frames of the NATS protocol: a line, and what its lengths announce. */
class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #onFrame: (frame: Frame) => void;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  push(piece: Buffer): void {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) this.#onFrame(frame);
  }

  #next(): Frame | undefined {
    const end = this.#rest.indexOf(lineEnd);
    if (end < 0) return undefined;
    const words = this.#rest.subarray(0, end).toString('latin1').split(' ');
    const lengths = payloadLengths(words);
    const start = end + lineEnd.length;
    const size = lengths === undefined ? start : start + lengths.total + lineEnd.length;
    if (this.#rest.length < size) return undefined;
    const bytes = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    const { headers = 0, total = 0 } = lengths ?? {};
    return {
      bytes,
      words,
      reply: replyOf(words),
      headers: bytes.subarray(start, start + headers),
      body: bytes.subarray(start + headers, start + total),
    };
  }
}

/** `HMSG <subject> <sid> [reply] <headers> <total>`, `MSG <subject> <sid> [reply] <total>`, `HPUB …`, `PUB …` */
const payloadLengths = (words: readonly string[]): { headers: number; total: number } | undefined => {
  const verb = words[0]?.toUpperCase();
  const total = Number(words.at(-1));
  if (verb === 'MSG' || verb === 'PUB') return { headers: 0, total };
  if (verb === 'HMSG' || verb === 'HPUB') return { headers: Number(words.at(-2)), total };
  return undefined;
};

const replyOf = (words: readonly string[]): string =>
  words[0] === 'HMSG' && words.length === 6 ? (words[3] ?? '') : '';

/** `$JS.ACK.EVENTS.<consumer>.<delivered>.<stream sequence>. …`; ours are named after their service and purpose. */
const ackSubject = /^\$JS\.ACK\.EVENTS\.([a-z]+-[a-z-]+)\.(\d+)\.(\d+)\./;

const deliveryOf = ({ words, reply, headers }: Frame): Delivery | undefined => {
  const match = ackSubject.exec(reply);
  if (match === null || !words[1]?.startsWith('millrace.evt.')) return undefined;
  const [, consumer = '', delivered, streamSequence] = match;
  return {
    subject: words[1],
    consumer,
    delivered: Number(delivered),
    streamSequence: Number(streamSequence),
    headers: headers.toString('latin1'),
  };
};

const withEventId = ({ words, headers, body }: Frame, id: string): Buffer => {
  const text = headers.toString('latin1').replace(/^(ce-id|Nats-Msg-Id): .*$/gm, `$1: ${id}`);
  const changed = Buffer.from(text, 'latin1');
  const line = [...words.slice(0, -2), changed.length, changed.length + body.length].join(' ');
  return Buffer.concat([Buffer.from(`${line}\r\n`), changed, body, lineEnd]);
};

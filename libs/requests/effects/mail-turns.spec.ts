import { createServer, type Server, type Socket } from 'node:net';
import { type MailGateway, smtpMail } from '#gateways/mail';
import { failedMailIn } from '#gateways/mail-failures';
import { GatewayFailed, mailTurns } from './mail-turns.ts';

const message = (index: number) => ({
  messageId: `mail-${index}@store.example`,
  from: { name: 'Main store', address: 'no-reply@store.example' },
  to: `reader${index}@example.org`,
  subject: 'Chargeback Granted',
  text: 'you are right.',
  html: '<p>you are right.</p>',
  date: new Date('2026-03-02T15:00:00Z'),
});

/** Each byte ends the wait for the next one. */
function trickle(socket: Socket): void {
  const timer = setInterval(() => socket.write('2'), 100);
  socket.on('close', () => clearInterval(timer));
}

let server: Server;
let mails: MailGateway;
let connections: number;
const start = async (connected: (socket: Socket) => void) => {
  connections = 0;
  server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    connected(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  mails = smtpMail({ url: `smtp://127.0.0.1:${port}`, secondsToAnswer: 1 });
};
afterEach(async () => {
  mails.close();
  await new Promise((resolve) => server.close(resolve));
});

/** @returns how each of them failed */
const sendMany = async (count: number) => {
  const inTurn = mailTurns();
  const sending = Array.from({ length: count }, (_, index) =>
    inTurn(() =>
      mails.send(message(index)).catch((error: unknown) => {
        throw new GatewayFailed(error);
      }),
    ).catch((error: GatewayFailed) => failedMailIn(error.cause).failure),
  );
  return new Set(await Promise.all(sending));
};

describe('NTF-4: many mails, and a server that is away:', () => {
  it.each([
    ['closes each connection at once', (socket: Socket) => void socket.destroy(), 'unreachable'],
    ['never says a word', () => {}, 'no-answer'],
    ['answers byte by byte, without end', (socket: Socket) => trickle(socket), 'no-answer'],
    ['refuses the session', (socket: Socket) => void socket.end('554 no service here\r\n'), 'answered'],
  ])('it %s', async (_, connected, failure) => {
    await start(connected);
    expect(await sendMany(300)).toEqual(new Set([failure]));
    expect(connections).toBeLessThanOrEqual(10);
  });
});

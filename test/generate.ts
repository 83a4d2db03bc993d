// Writes everything that is generated: npm run generate
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventCatalog } from '#apps/cli/catalog';
import { configurationPage } from '#apps/cli/configuration-page';
import { mailLinksPage } from '#apps/cli/mail-links-page';
import { personalDataPage } from '#apps/cli/personal-data-page';
import { rightsPage } from '#apps/cli/rights-page';
import { sandboxPage } from '#apps/cli/sandbox-page';
import { viewsPage } from '#apps/cli/views-page';
import { errorsPage } from '#apps/error-codes';
import './stored-events/write-samples.ts';
import './write-row-digests.ts';

const pages = {
  'event-catalog.md': eventCatalog,
  'analytics.md': viewsPage,
  'configuration.md': configurationPage,
  'errors.md': errorsPage,
  'mail-links.md': mailLinksPage,
  'personal-data.md': personalDataPage,
  'rights.md': rightsPage,
  'sandbox.md': sandboxPage,
};

for (const [name, page] of Object.entries(pages))
  writeFileSync(join(import.meta.dirname, '../docs', name), `${page()}\n`);

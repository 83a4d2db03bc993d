import Handlebars from 'handlebars';
import type { ReceiptSheet } from '#domain/receipts/sheet';
import { receiptTexts } from './receipt-texts.ts';

/** A receipt as a page that prints on one sheet of paper. Every text is escaped. */
export const receiptHtml = (sheet: ReceiptSheet): string => page({ ...sheet, ...receiptTexts(sheet) });

const page = Handlebars.compile(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{title}} – {{storeName}}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 42rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100%; margin: 1.5rem 0 }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
td:last-child { text-align: right; white-space: nowrap }
.about td:last-child { text-align: left; white-space: normal; overflow-wrap: anywhere }
.total td { font-weight: bold; border-top: 2px solid #222 }
</style>
<p><strong>{{storeName}}</strong><br>{{webAddress}}</p>
<h1>{{title}}</h1>
{{#if buyer}}<p>{{#each buyer}}{{this}}<br>{{/each}}</p>{{/if}}
<table class="about">{{#each about}}<tr><td>{{this.[0]}}</td><td>{{this.[1]}}</td></tr>{{/each}}</table>
<table>
{{#each rows}}<tr><td>{{this.[0]}}</td><td>{{this.[1]}}</td></tr>
{{/each}}<tr class="total"><td>{{total.[0]}}</td><td>{{total.[1]}}</td></tr>
{{#each taxes}}<tr><td>{{this.[0]}}</td><td>{{this.[1]}}</td></tr>
{{/each}}</table>
</html>
`);

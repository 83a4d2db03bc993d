import { normaliseBusiness } from '#domain/accounts/business';
import { comparableName } from './raw-log.ts';

it.each(['A.B.C. Vitamins', 'Ｚｅｎ　Ｌｉｆｅ', 'Straße', 'STRASSE', 'ΟΔΟΣ Α', 'İstanbul', 'Café No. ½'])(
  'DLV-3: the audit compares "%s" as the store does',
  (name) => {
    expect(comparableName(name)).toBe(normaliseBusiness(name));
  },
);

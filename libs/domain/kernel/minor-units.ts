/**
 * Amounts of money are whole minor units of their currency: cents of a dollar, yen, thousandths of a dinar. Fields are
 * called `…Cents` for all of them. How many decimal digits a currency has stands in ISO 4217, list one (of 2026).
 */
const currenciesByDigits: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
    COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD
    KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK
    NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
    TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

const digits: ReadonlyMap<string, number> = new Map(
  Object.entries(currenciesByDigits).flatMap(([count, codes]) =>
    codes.split(/\s+/).map((code) => [code, Number(count)] as const),
  ),
);

/** Every currency that may have a price, with its decimal digits. */
export const currencies: readonly (readonly [currency: string, minorDigits: number])[] = [...digits].sort(([a], [b]) =>
  a < b ? -1 : 1,
);

export const isCurrency = (code: string): boolean => digits.has(code);

/** Older versions took codes that are not in the list, such as those of currencies of the past: these had two digits. */
const DIGITS_OF_OTHERS = 2;

export const minorDigitsOf = (currency: string): number => digits.get(currency) ?? DIGITS_OF_OTHERS;

/** `12.50` of 1250 USD, `1250` of 1250 JPY. Exact: no amount goes through a fraction. */
export function decimalOf(minorUnits: number, currency: string): string {
  const count = minorDigitsOf(currency);
  const all = String(Math.abs(minorUnits)).padStart(count + 1, '0');
  const decimal = count === 0 ? all : `${all.slice(0, -count)}.${all.slice(-count)}`;
  return minorUnits < 0 ? `-${decimal}` : decimal;
}

const DECIMAL = /^-?\d{1,15}(?:\.(\d{1,12}))?$/;

/** The other way round: 1250 of `12.50` and of `12.5` USD. @returns undefined when it is no amount of whole minor units */
export function minorUnitsOf(decimal: string, currency: string): number | undefined {
  const fraction = DECIMAL.exec(decimal);
  if (!fraction) return undefined;
  const count = minorDigitsOf(currency);
  const digits = (fraction[1] ?? '').replace(/0+$/, '').padEnd(count, '0');
  const whole = decimal.replace(/\..*$/, '');
  const minorUnits = Number(whole + digits);
  return digits.length === count && Number.isSafeInteger(minorUnits) ? minorUnits : undefined;
}

/** `12.50 USD` */
export const tellMoney = (minorUnits: number, currency: string): string =>
  `${decimalOf(minorUnits, currency)} ${currency}`;

/** `$12.50`, `¥1,250`, `KWD 1.250`: for a customer. */
export const formatMoney = (minorUnits: number, currency: string): string => {
  const count = minorDigitsOf(currency);
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency,
    minimumFractionDigits: count,
    maximumFractionDigits: count,
  }).format(decimalOf(minorUnits, currency) as `${number}`);
};

import { catalogueStream } from '#domain/catalogue/catalogue';
import type { ProviderLimits } from '#gateways/payments';
import type { StreamCache } from './stream-cache.ts';

/** STO-2: the descriptor may have been set under another provider. Nobody would see that it is cut. */
export async function warnIfDescriptorIsCut(
  streams: StreamCache,
  limits: ProviderLimits | undefined,
  warn: (line: string) => void,
): Promise<void> {
  const { state } = await streams.read<'catalogue'>(catalogueStream);
  const wrong = state.descriptor && limits?.refuseDescriptor(state.descriptor);
  if (!wrong || !limits) return;
  const { descriptor = '' } = state;
  const shown = limits.shownDescriptor(descriptor);
  warn(
    `card statements cannot show ${JSON.stringify(descriptor)}, but ${JSON.stringify(shown)}, and so do new orders: ${wrong}. Set another one with PUT /api/statement-descriptor`,
  );
}

import type { Trouble, TroubleKind } from '$lib/backend'
import { m } from '$lib/i18n'

/** What somebody should know, in their language. */
export function troubleWords(trouble: Trouble): string {
  const words: Record<TroubleKind, () => string> = {
    resync: m.trouble_resync,
    republished: m.trouble_republished,
    integrity: m.trouble_integrity,
    wrongClock: m.trouble_wrong_clock,
    handleMoved: () => m.trouble_handle_moved({ handle: trouble.handle ?? '' }),
    storage: m.trouble_storage,
    relayFull: m.trouble_relay_full,
    quotaReached: m.trouble_quota_reached,
    storeSetAside: m.trouble_store_set_aside,
    vaultDamaged: m.trouble_vault_damaged,
    keyExposed: m.trouble_key_exposed,
  }
  return words[trouble.kind]()
}

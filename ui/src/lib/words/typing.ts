import type { ProfileId, RoomKey } from '$lib/backend'
import { listOf, m } from '$lib/i18n'
import type { Session } from '$lib/models'

/** Who is writing in a room, as a sentence; `null`: nobody. */
export function typingWords(session: Session, key: RoomKey, profile: ProfileId): string | null {
  const who = session.typing.whoIn(key)
  if (who.length === 0) return null
  if (who.length > 3) return m.typing_many()
  return m.typing({
    who: listOf(who.map((account) => session.people.name(profile, account))),
    count: who.length,
  })
}

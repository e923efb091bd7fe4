import type { Person, Presence, Profile } from '../bindings'

/** Gives those who talk in the pictures colours that are easily told apart. */
const SALT = 'k3116'

const make = (handle: string, name: string): Person => ({
  account: accountOf(handle),
  handle,
  name,
  shown: name,
  ambiguous: false,
})

export const ME = accountOf('mira')

export const PEOPLE: Person[] = [
  make('mira', 'Mira Lindqvist'),
  make('jonas', 'Jonas Weber'),
  make('amina', 'Amina Haddad'),
  make('teo', 'Teo Marchetti'),
  make('lin', '林晓雨'),
  make('sofia', 'Sofía Ortega'),
  make('dev', 'Dev Patel'),
  make('hanna', 'Hanna Koskinen'),
  make('omar', 'عمر الخطيب'),
  make('priya', 'Priya Nair'),
  make('felix', 'Felix Braun'),
]

const profile = (id: string, name: string, relay: string, admin: boolean): Profile => ({
  id,
  state: { kind: 'open' },
  me: { account: ME, handle: 'mira', name, device: 'laptop', deviceName: 'Laptop', relay, admin },
  connection: { kind: 'online' },
  troubles: [],
  outbox: 0,
})

export const PROFILES: Profile[] = [
  profile('home', 'Mira Lindqvist', 'kith.lindqvist.example', true),
  profile('work', 'Mira Lindqvist', 'chat.fjord.example', false),
]

const there = (handle: string, online: boolean, away = false): Presence[] =>
  PROFILES.map(({ id }) => ({ profile: id, account: accountOf(handle), online, away }))

export const PRESENCE: Presence[] = [
  ...there('jonas', true),
  ...there('amina', true),
  ...there('teo', true, true),
  ...there('lin', true),
  ...there('dev', true, true),
  ...there('priya', true),
]

export function personOf(account: string): Person {
  return PEOPLE.find((person) => person.account === account) ?? make(account, account)
}

/** An id as real ones are: 64 hexadecimal digits, the same for the same handle. */
export function accountOf(handle: string): string {
  let state = 2166136261
  let id = ''
  while (id.length < 64) {
    for (const letter of `${SALT}${handle}${id.length}`)
      state = Math.imul(state ^ letter.charCodeAt(0), 16777619)
    id += (state >>> 0).toString(16).padStart(8, '0')
  }
  return id
}

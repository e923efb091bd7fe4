import type { Channel } from '@tauri-apps/api/core'
import type { AppError, commands, ErrorCode, ProfileId, RoomId } from './bindings'

type Commands = typeof commands

/** A channel of the shell is a plain function here. */
type Plain<Arguments extends unknown[]> = {
  [At in keyof Arguments]: Arguments[At] extends Channel<infer Message>
    ? (message: Message) => void
    : Arguments[At]
}

/** The engine, as far as a window may ask it: the shell's commands. Each rejects with an `AppError`. */
export type Backend = {
  [Name in keyof Commands]: (...given: Plain<Parameters<Commands[Name]>>) => ReturnType<Commands[Name]>
}

/** A room of one profile: the same room may be seen by two accounts of one person. */
export interface RoomRef {
  readonly profile: ProfileId
  readonly room: RoomId
}

/** A `RoomRef` as one string, for maps and lists. */
export type RoomKey = string

export function keyOf(ref: RoomRef): RoomKey {
  return `${ref.profile}/${ref.room}`
}

export function refOf(key: RoomKey): RoomRef {
  const slash = key.indexOf('/')
  return { profile: key.slice(0, slash), room: key.slice(slash + 1) }
}

/** What a call was rejected with; `internal` if it is nothing that the shell says. */
export function errorOf(thrown: unknown): AppError {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown)
    return { code: thrown.code as ErrorCode, message: String(thrown.message) }
  return { code: 'internal', message: String(thrown) }
}

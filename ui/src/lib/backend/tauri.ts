import { Channel } from '@tauri-apps/api/core'
import type { Backend } from './backend'
import { commands } from './bindings'

/** The shell. Functions among the arguments become its channels; all else crosses as it is. */
export function shellBackend(): Backend {
  const calls = Object.entries(commands).map(([name, call]) => {
    const plain = (...given: unknown[]) =>
      (call as (...given: unknown[]) => unknown)(
        ...given.map((argument) =>
          typeof argument === 'function' ? new Channel(argument as (message: unknown) => void) : argument,
        ),
      )
    return [name, plain]
  })
  return Object.fromEntries(calls) as Backend
}

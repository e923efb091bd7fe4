export * as m from './generated/messages/_index.js'
export * from './locale.svelte'
export * from './time'

export * from './locale.svelte'
export * from './time'

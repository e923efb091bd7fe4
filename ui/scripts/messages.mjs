// Makes functions of the messages: for the types, which need them before anything is built.
import { compile } from '@inlang/paraglide-js'
import { PARAGLIDE } from './paraglide.mjs'

await compile(PARAGLIDE)

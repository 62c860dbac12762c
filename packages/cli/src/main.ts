#!/usr/bin/env node
import { assay } from './assay.ts'
import { leaveWhenNobodyReads } from './terminal.ts'

leaveWhenNobodyReads()
// Not process.exit(): what is written to a pipe may still be under way.
process.exitCode = await assay(process.argv.slice(2))

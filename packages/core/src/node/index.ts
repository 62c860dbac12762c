/**
 * What needs Node.
 *
 * @module
 */
export { identityFile } from './identity-file.ts'

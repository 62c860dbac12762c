/** What needs a file system. */
export { type ExternalPlace, externalBytes, externalPlace } from './external-data.ts'
export { type OpenedFile, openFile } from './file-source.ts'

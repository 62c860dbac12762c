/**
 * What needs Node.
 *
 * @module
 */
export { identityFile } from './identity-file.ts'
export {
  isTlsError,
  peerUntrusted,
  TlsCredentials,
  type TlsOptions,
  type TlsServerOptions,
} from './tls-credentials.ts'

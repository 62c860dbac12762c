export { type MemoryTransportOptions, memoryTransport } from './memory-transport.ts'

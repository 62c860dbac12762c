export { auditedSessions, type SessionFactory } from './audited-sessions.ts'
export { Instrumentation } from './instrumentation.ts'
export type { OpaqueRun, SessionInfo, SessionObserver, TappedRun } from './session/session-observer.ts'

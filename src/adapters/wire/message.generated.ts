// @ts-nocheck
import { decodeMessage, encodeMessage, enumeration, MaxLengthError, MaxSizeError, message, streamMessage } from 'protons-runtime'
const uint8ArrayAlloc = (length: number) => new Uint8Array(length)
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface Frame {
  hello?: Hello
  heartbeat?: Heartbeat
  ping?: Ping
  pong?: Pong
  want?: Want
  rumor?: Rumor
  memberDigest?: MemberDigest
  memberSummaries?: MemberSummaries
  memberWants?: MemberWants
  hearsay?: Hearsay
  stateUpdate?: StateUpdate
  stateHello?: StateHello
  stateSummary?: StateSummary
  stateDigest?: StateDigest
  stateWant?: StateWant
  statePiece?: StatePiece
  stateGot?: StateGot
  stateHeld?: StateHeld
  checkpoint?: Checkpoint
  handover?: Handover
  resultsAsked?: Results
  resultsHeld?: Results
  handoverAhead?: Results
  handoverAsked?: LastWord
  handoverAnswered?: LastWord
}

export namespace Frame {
  let _codec: Codec<Frame>

  export const codec = (): Codec<Frame> => {
    if (_codec == null) {
      _codec = message<Frame>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.hello != null) {
          w.uint32(10)
          Hello.codec().encode(obj.hello, w)
        }

        if (obj.heartbeat != null) {
          w.uint32(18)
          Heartbeat.codec().encode(obj.heartbeat, w)
        }

        if (obj.ping != null) {
          w.uint32(26)
          Ping.codec().encode(obj.ping, w)
        }

        if (obj.pong != null) {
          w.uint32(34)
          Pong.codec().encode(obj.pong, w)
        }

        if (obj.want != null) {
          w.uint32(42)
          Want.codec().encode(obj.want, w)
        }

        if (obj.rumor != null) {
          w.uint32(50)
          Rumor.codec().encode(obj.rumor, w)
        }

        if (obj.memberDigest != null) {
          w.uint32(58)
          MemberDigest.codec().encode(obj.memberDigest, w)
        }

        if (obj.memberSummaries != null) {
          w.uint32(66)
          MemberSummaries.codec().encode(obj.memberSummaries, w)
        }

        if (obj.memberWants != null) {
          w.uint32(74)
          MemberWants.codec().encode(obj.memberWants, w)
        }

        if (obj.hearsay != null) {
          w.uint32(82)
          Hearsay.codec().encode(obj.hearsay, w)
        }

        if (obj.stateUpdate != null) {
          w.uint32(162)
          StateUpdate.codec().encode(obj.stateUpdate, w)
        }

        if (obj.stateHello != null) {
          w.uint32(170)
          StateHello.codec().encode(obj.stateHello, w)
        }

        if (obj.stateSummary != null) {
          w.uint32(178)
          StateSummary.codec().encode(obj.stateSummary, w)
        }

        if (obj.stateDigest != null) {
          w.uint32(186)
          StateDigest.codec().encode(obj.stateDigest, w)
        }

        if (obj.stateWant != null) {
          w.uint32(194)
          StateWant.codec().encode(obj.stateWant, w)
        }

        if (obj.statePiece != null) {
          w.uint32(202)
          StatePiece.codec().encode(obj.statePiece, w)
        }

        if (obj.stateGot != null) {
          w.uint32(210)
          StateGot.codec().encode(obj.stateGot, w)
        }

        if (obj.stateHeld != null) {
          w.uint32(218)
          StateHeld.codec().encode(obj.stateHeld, w)
        }

        if (obj.checkpoint != null) {
          w.uint32(322)
          Checkpoint.codec().encode(obj.checkpoint, w)
        }

        if (obj.handover != null) {
          w.uint32(330)
          Handover.codec().encode(obj.handover, w)
        }

        if (obj.resultsAsked != null) {
          w.uint32(338)
          Results.codec().encode(obj.resultsAsked, w)
        }

        if (obj.resultsHeld != null) {
          w.uint32(346)
          Results.codec().encode(obj.resultsHeld, w)
        }

        if (obj.handoverAhead != null) {
          w.uint32(354)
          Results.codec().encode(obj.handoverAhead, w)
        }

        if (obj.handoverAsked != null) {
          w.uint32(362)
          LastWord.codec().encode(obj.handoverAsked, w)
        }

        if (obj.handoverAnswered != null) {
          w.uint32(370)
          LastWord.codec().encode(obj.handoverAnswered, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {}

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.hello = Hello.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.hello
              })
              break
            }
            case 2: {
              obj.heartbeat = Heartbeat.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.heartbeat
              })
              break
            }
            case 3: {
              obj.ping = Ping.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.ping
              })
              break
            }
            case 4: {
              obj.pong = Pong.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.pong
              })
              break
            }
            case 5: {
              obj.want = Want.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.want
              })
              break
            }
            case 6: {
              obj.rumor = Rumor.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.rumor
              })
              break
            }
            case 7: {
              obj.memberDigest = MemberDigest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.memberDigest
              })
              break
            }
            case 8: {
              obj.memberSummaries = MemberSummaries.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.memberSummaries
              })
              break
            }
            case 9: {
              obj.memberWants = MemberWants.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.memberWants
              })
              break
            }
            case 10: {
              obj.hearsay = Hearsay.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.hearsay
              })
              break
            }
            case 20: {
              obj.stateUpdate = StateUpdate.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.stateUpdate
              })
              break
            }
            case 21: {
              obj.stateHello = StateHello.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.stateHello
              })
              break
            }
            case 22: {
              obj.stateSummary = StateSummary.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.stateSummary
              })
              break
            }
            case 23: {
              obj.stateDigest = StateDigest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.stateDigest
              })
              break
            }
            case 24: {
              obj.stateWant = StateWant.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.stateWant
              })
              break
            }
            case 25: {
              obj.statePiece = StatePiece.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.statePiece
              })
              break
            }
            case 26: {
              obj.stateGot = StateGot.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.stateGot
              })
              break
            }
            case 27: {
              obj.stateHeld = StateHeld.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.stateHeld
              })
              break
            }
            case 40: {
              obj.checkpoint = Checkpoint.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.checkpoint
              })
              break
            }
            case 41: {
              obj.handover = Handover.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.handover
              })
              break
            }
            case 42: {
              obj.resultsAsked = Results.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.resultsAsked
              })
              break
            }
            case 43: {
              obj.resultsHeld = Results.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.resultsHeld
              })
              break
            }
            case 44: {
              obj.handoverAhead = Results.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.handoverAhead
              })
              break
            }
            case 45: {
              obj.handoverAsked = LastWord.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.handoverAsked
              })
              break
            }
            case 46: {
              obj.handoverAnswered = LastWord.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.handoverAnswered
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * Hello.codec().stream(reader, reader.uint32(), `${prefix}.hello`, {
                limits: opts.limits?.hello
              })

              break
            }
            case 2: {
              yield * Heartbeat.codec().stream(reader, reader.uint32(), `${prefix}.heartbeat`, {
                limits: opts.limits?.heartbeat
              })

              break
            }
            case 3: {
              yield * Ping.codec().stream(reader, reader.uint32(), `${prefix}.ping`, {
                limits: opts.limits?.ping
              })

              break
            }
            case 4: {
              yield * Pong.codec().stream(reader, reader.uint32(), `${prefix}.pong`, {
                limits: opts.limits?.pong
              })

              break
            }
            case 5: {
              yield * Want.codec().stream(reader, reader.uint32(), `${prefix}.want`, {
                limits: opts.limits?.want
              })

              break
            }
            case 6: {
              yield * Rumor.codec().stream(reader, reader.uint32(), `${prefix}.rumor`, {
                limits: opts.limits?.rumor
              })

              break
            }
            case 7: {
              yield * MemberDigest.codec().stream(reader, reader.uint32(), `${prefix}.memberDigest`, {
                limits: opts.limits?.memberDigest
              })

              break
            }
            case 8: {
              yield * MemberSummaries.codec().stream(reader, reader.uint32(), `${prefix}.memberSummaries`, {
                limits: opts.limits?.memberSummaries
              })

              break
            }
            case 9: {
              yield * MemberWants.codec().stream(reader, reader.uint32(), `${prefix}.memberWants`, {
                limits: opts.limits?.memberWants
              })

              break
            }
            case 10: {
              yield * Hearsay.codec().stream(reader, reader.uint32(), `${prefix}.hearsay`, {
                limits: opts.limits?.hearsay
              })

              break
            }
            case 20: {
              yield * StateUpdate.codec().stream(reader, reader.uint32(), `${prefix}.stateUpdate`, {
                limits: opts.limits?.stateUpdate
              })

              break
            }
            case 21: {
              yield * StateHello.codec().stream(reader, reader.uint32(), `${prefix}.stateHello`, {
                limits: opts.limits?.stateHello
              })

              break
            }
            case 22: {
              yield * StateSummary.codec().stream(reader, reader.uint32(), `${prefix}.stateSummary`, {
                limits: opts.limits?.stateSummary
              })

              break
            }
            case 23: {
              yield * StateDigest.codec().stream(reader, reader.uint32(), `${prefix}.stateDigest`, {
                limits: opts.limits?.stateDigest
              })

              break
            }
            case 24: {
              yield * StateWant.codec().stream(reader, reader.uint32(), `${prefix}.stateWant`, {
                limits: opts.limits?.stateWant
              })

              break
            }
            case 25: {
              yield * StatePiece.codec().stream(reader, reader.uint32(), `${prefix}.statePiece`, {
                limits: opts.limits?.statePiece
              })

              break
            }
            case 26: {
              yield * StateGot.codec().stream(reader, reader.uint32(), `${prefix}.stateGot`, {
                limits: opts.limits?.stateGot
              })

              break
            }
            case 27: {
              yield * StateHeld.codec().stream(reader, reader.uint32(), `${prefix}.stateHeld`, {
                limits: opts.limits?.stateHeld
              })

              break
            }
            case 40: {
              yield * Checkpoint.codec().stream(reader, reader.uint32(), `${prefix}.checkpoint`, {
                limits: opts.limits?.checkpoint
              })

              break
            }
            case 41: {
              yield * Handover.codec().stream(reader, reader.uint32(), `${prefix}.handover`, {
                limits: opts.limits?.handover
              })

              break
            }
            case 42: {
              yield * Results.codec().stream(reader, reader.uint32(), `${prefix}.resultsAsked`, {
                limits: opts.limits?.resultsAsked
              })

              break
            }
            case 43: {
              yield * Results.codec().stream(reader, reader.uint32(), `${prefix}.resultsHeld`, {
                limits: opts.limits?.resultsHeld
              })

              break
            }
            case 44: {
              yield * Results.codec().stream(reader, reader.uint32(), `${prefix}.handoverAhead`, {
                limits: opts.limits?.handoverAhead
              })

              break
            }
            case 45: {
              yield * LastWord.codec().stream(reader, reader.uint32(), `${prefix}.handoverAsked`, {
                limits: opts.limits?.handoverAsked
              })

              break
            }
            case 46: {
              yield * LastWord.codec().stream(reader, reader.uint32(), `${prefix}.handoverAnswered`, {
                limits: opts.limits?.handoverAnswered
              })

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface FrameHelloRecordBodyFieldEvent {
    field: '$.hello.record.body'
    value: Uint8Array
  }

  export interface FrameHelloRecordSignatureFieldEvent {
    field: '$.hello.record.signature'
    value: Uint8Array
  }

  export interface FrameHeartbeatMeshTimeFieldEvent {
    field: '$.heartbeat.meshTime'
    value: number
  }

  export interface FrameHeartbeatViewFieldEvent {
    field: '$.heartbeat.view'
    value: number
  }

  export interface FramePingNonceFieldEvent {
    field: '$.ping.nonce'
    value: number
  }

  export interface FramePingMeshTimeFieldEvent {
    field: '$.ping.meshTime'
    value: number
  }

  export interface FramePongNonceFieldEvent {
    field: '$.pong.nonce'
    value: number
  }

  export interface FramePongMeshTimeFieldEvent {
    field: '$.pong.meshTime'
    value: number
  }

  export interface FrameWantOnFieldEvent {
    field: '$.want.on'
    value: boolean
  }

  export interface FrameRumorRecordsBodyFieldEvent {
    field: '$.rumor.records[].body'
    value: Uint8Array
    index: number
  }

  export interface FrameRumorRecordsSignatureFieldEvent {
    field: '$.rumor.records[].signature'
    value: Uint8Array
    index: number
  }

  export interface FrameRumorAccusationsBodyFieldEvent {
    field: '$.rumor.accusations[].body'
    value: Uint8Array
    index: number
  }

  export interface FrameRumorAccusationsSignatureFieldEvent {
    field: '$.rumor.accusations[].signature'
    value: Uint8Array
    index: number
  }

  export interface FrameRumorStrikesBodyFieldEvent {
    field: '$.rumor.strikes[].body'
    value: Uint8Array
    index: number
  }

  export interface FrameRumorStrikesSignatureFieldEvent {
    field: '$.rumor.strikes[].signature'
    value: Uint8Array
    index: number
  }

  export interface FrameMemberDigestBucketsFieldEvent {
    field: '$.memberDigest.buckets[]'
    index: number
    value: number
  }

  export interface FrameMemberSummariesBucketsFieldEvent {
    field: '$.memberSummaries.buckets[]'
    index: number
    value: number
  }

  export interface FrameMemberSummariesLinesIdFieldEvent {
    field: '$.memberSummaries.lines[].id'
    value: Uint8Array
    index: number
  }

  export interface FrameMemberSummariesLinesGenerationFieldEvent {
    field: '$.memberSummaries.lines[].generation'
    value: number
    index: number
  }

  export interface FrameMemberSummariesLinesInstanceFieldEvent {
    field: '$.memberSummaries.lines[].instance'
    value: Uint8Array
    index: number
  }

  export interface FrameMemberSummariesLinesRefutationFieldEvent {
    field: '$.memberSummaries.lines[].refutation'
    value: number
    index: number
  }

  export interface FrameMemberSummariesLinesVerdictFieldEvent {
    field: '$.memberSummaries.lines[].verdict'
    value: Verdict
    index: number
  }

  export interface FrameMemberSummariesLinesAgeMsFieldEvent {
    field: '$.memberSummaries.lines[].ageMs'
    value: number
    index: number
  }

  export interface FrameMemberSummariesAnswerFieldEvent {
    field: '$.memberSummaries.answer'
    value: boolean
  }

  export interface FrameMemberWantsIdsFieldEvent {
    field: '$.memberWants.ids[]'
    index: number
    value: Uint8Array
  }

  export interface FrameHearsayLinesIdFieldEvent {
    field: '$.hearsay.lines[].id'
    value: Uint8Array
    index: number
  }

  export interface FrameHearsayLinesGenerationFieldEvent {
    field: '$.hearsay.lines[].generation'
    value: number
    index: number
  }

  export interface FrameHearsayLinesInstanceFieldEvent {
    field: '$.hearsay.lines[].instance'
    value: Uint8Array
    index: number
  }

  export interface FrameHearsayLinesRefutationFieldEvent {
    field: '$.hearsay.lines[].refutation'
    value: number
    index: number
  }

  export interface FrameHearsayLinesVerdictFieldEvent {
    field: '$.hearsay.lines[].verdict'
    value: Verdict
    index: number
  }

  export interface FrameHearsayLinesAgeMsFieldEvent {
    field: '$.hearsay.lines[].ageMs'
    value: number
    index: number
  }

  export interface FrameStateUpdateDocumentFieldEvent {
    field: '$.stateUpdate.document'
    value: string
  }

  export interface FrameStateUpdateUpdateFieldEvent {
    field: '$.stateUpdate.update'
    value: Uint8Array
  }

  export interface FrameStateUpdateLineageFieldEvent {
    field: '$.stateUpdate.lineage'
    value: string
  }

  export interface FrameStateHelloRootFieldEvent {
    field: '$.stateHello.root'
    value: Uint8Array
  }

  export interface FrameStateSummaryDocumentsFieldEvent {
    field: '$.stateSummary.documents[]'
    index: number
    value: string
  }

  export interface FrameStateSummaryHashesFieldEvent {
    field: '$.stateSummary.hashes'
    value: Uint8Array
  }

  export interface FrameStateDigestDocumentFieldEvent {
    field: '$.stateDigest.document'
    value: string
  }

  export interface FrameStateDigestVectorFieldEvent {
    field: '$.stateDigest.vector'
    value: Uint8Array
  }

  export interface FrameStateDigestDeletesFieldEvent {
    field: '$.stateDigest.deletes'
    value: Uint8Array
  }

  export interface FrameStateDigestBytesMaxFieldEvent {
    field: '$.stateDigest.bytesMax'
    value: number
  }

  export interface FrameStateWantDocumentFieldEvent {
    field: '$.stateWant.document'
    value: string
  }

  export interface FrameStateWantVectorFieldEvent {
    field: '$.stateWant.vector'
    value: Uint8Array
  }

  export interface FrameStateWantRangesFieldEvent {
    field: '$.stateWant.ranges'
    value: Uint8Array
  }

  export interface FrameStateWantBytesMaxFieldEvent {
    field: '$.stateWant.bytesMax'
    value: number
  }

  export interface FrameStatePieceDocumentFieldEvent {
    field: '$.statePiece.document'
    value: string
  }

  export interface FrameStatePieceNumberFieldEvent {
    field: '$.statePiece.number'
    value: number
  }

  export interface FrameStatePieceLastFieldEvent {
    field: '$.statePiece.last'
    value: boolean
  }

  export interface FrameStatePieceUpdateFieldEvent {
    field: '$.statePiece.update'
    value: Uint8Array
  }

  export interface FrameStatePieceCutFieldEvent {
    field: '$.statePiece.cut'
    value: boolean
  }

  export interface FrameStateGotDocumentFieldEvent {
    field: '$.stateGot.document'
    value: string
  }

  export interface FrameStateGotNumberFieldEvent {
    field: '$.stateGot.number'
    value: number
  }

  export interface FrameStateHeldDocumentFieldEvent {
    field: '$.stateHeld.document'
    value: string
  }

  export interface FrameStateHeldBytesMaxFieldEvent {
    field: '$.stateHeld.bytesMax'
    value: number
  }

  export interface FrameStateHeldBytesFieldEvent {
    field: '$.stateHeld.bytes'
    value: number
  }

  export interface FrameStateHeldLaterFieldEvent {
    field: '$.stateHeld.later'
    value: boolean
  }

  export interface FrameStateHeldVectorFieldEvent {
    field: '$.stateHeld.vector'
    value: Uint8Array
  }

  export interface FrameStateHeldHashFieldEvent {
    field: '$.stateHeld.hash'
    value: Uint8Array
  }

  export interface FrameCheckpointTaskFieldEvent {
    field: '$.checkpoint.task'
    value: string
  }

  export interface FrameCheckpointSlotFieldEvent {
    field: '$.checkpoint.slot'
    value: number
  }

  export interface FrameCheckpointSavedEpochFieldEvent {
    field: '$.checkpoint.saved.epoch'
    value: string
  }

  export interface FrameCheckpointSavedSequenceFieldEvent {
    field: '$.checkpoint.saved.sequence'
    value: number
  }

  export interface FrameCheckpointSavedCheckpointFieldEvent {
    field: '$.checkpoint.saved.checkpoint'
    value: string
  }

  export interface FrameCheckpointSavedPastFieldEvent {
    field: '$.checkpoint.saved.past[]'
    index: number
    value: string
  }

  export interface FrameHandoverTaskFieldEvent {
    field: '$.handover.task'
    value: string
  }

  export interface FrameHandoverSlotFieldEvent {
    field: '$.handover.slot'
    value: number
  }

  export interface FrameHandoverEpochFieldEvent {
    field: '$.handover.epoch'
    value: string
  }

  export interface FrameHandoverCauseFieldEvent {
    field: '$.handover.cause'
    value: string
  }

  export interface FrameHandoverCoveredFieldEvent {
    field: '$.handover.covered'
    value: number
  }

  export interface FrameHandoverSavedEpochFieldEvent {
    field: '$.handover.saved.epoch'
    value: string
  }

  export interface FrameHandoverSavedSequenceFieldEvent {
    field: '$.handover.saved.sequence'
    value: number
  }

  export interface FrameHandoverSavedCheckpointFieldEvent {
    field: '$.handover.saved.checkpoint'
    value: string
  }

  export interface FrameHandoverSavedPastFieldEvent {
    field: '$.handover.saved.past[]'
    index: number
    value: string
  }

  export interface FrameResultsAskedTasksFieldEvent {
    field: '$.resultsAsked.tasks[]'
    index: number
    value: string
  }

  export interface FrameResultsHeldTasksFieldEvent {
    field: '$.resultsHeld.tasks[]'
    index: number
    value: string
  }

  export interface FrameHandoverAheadTasksFieldEvent {
    field: '$.handoverAhead.tasks[]'
    index: number
    value: string
  }

  export interface FrameHandoverAskedTaskFieldEvent {
    field: '$.handoverAsked.task'
    value: string
  }

  export interface FrameHandoverAskedSlotFieldEvent {
    field: '$.handoverAsked.slot'
    value: number
  }

  export interface FrameHandoverAskedEpochFieldEvent {
    field: '$.handoverAsked.epoch'
    value: string
  }

  export interface FrameHandoverAskedSavedEpochFieldEvent {
    field: '$.handoverAsked.saved.epoch'
    value: string
  }

  export interface FrameHandoverAskedSavedSequenceFieldEvent {
    field: '$.handoverAsked.saved.sequence'
    value: number
  }

  export interface FrameHandoverAskedSavedCheckpointFieldEvent {
    field: '$.handoverAsked.saved.checkpoint'
    value: string
  }

  export interface FrameHandoverAskedSavedPastFieldEvent {
    field: '$.handoverAsked.saved.past[]'
    index: number
    value: string
  }

  export interface FrameHandoverAnsweredTaskFieldEvent {
    field: '$.handoverAnswered.task'
    value: string
  }

  export interface FrameHandoverAnsweredSlotFieldEvent {
    field: '$.handoverAnswered.slot'
    value: number
  }

  export interface FrameHandoverAnsweredEpochFieldEvent {
    field: '$.handoverAnswered.epoch'
    value: string
  }

  export interface FrameHandoverAnsweredSavedEpochFieldEvent {
    field: '$.handoverAnswered.saved.epoch'
    value: string
  }

  export interface FrameHandoverAnsweredSavedSequenceFieldEvent {
    field: '$.handoverAnswered.saved.sequence'
    value: number
  }

  export interface FrameHandoverAnsweredSavedCheckpointFieldEvent {
    field: '$.handoverAnswered.saved.checkpoint'
    value: string
  }

  export interface FrameHandoverAnsweredSavedPastFieldEvent {
    field: '$.handoverAnswered.saved.past[]'
    index: number
    value: string
  }

  export function encode (obj: Partial<Frame>): Uint8Array {
    return encodeMessage(obj, Frame.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Frame>): Frame {
    return decodeMessage(buf, Frame.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Frame>): Generator<FrameHelloRecordBodyFieldEvent | FrameHelloRecordSignatureFieldEvent | FrameHeartbeatMeshTimeFieldEvent | FrameHeartbeatViewFieldEvent | FramePingNonceFieldEvent | FramePingMeshTimeFieldEvent | FramePongNonceFieldEvent | FramePongMeshTimeFieldEvent | FrameWantOnFieldEvent | FrameRumorRecordsBodyFieldEvent | FrameRumorRecordsSignatureFieldEvent | FrameRumorAccusationsBodyFieldEvent | FrameRumorAccusationsSignatureFieldEvent | FrameRumorStrikesBodyFieldEvent | FrameRumorStrikesSignatureFieldEvent | FrameMemberDigestBucketsFieldEvent | FrameMemberSummariesBucketsFieldEvent | FrameMemberSummariesLinesIdFieldEvent | FrameMemberSummariesLinesGenerationFieldEvent | FrameMemberSummariesLinesInstanceFieldEvent | FrameMemberSummariesLinesRefutationFieldEvent | FrameMemberSummariesLinesVerdictFieldEvent | FrameMemberSummariesLinesAgeMsFieldEvent | FrameMemberSummariesAnswerFieldEvent | FrameMemberWantsIdsFieldEvent | FrameHearsayLinesIdFieldEvent | FrameHearsayLinesGenerationFieldEvent | FrameHearsayLinesInstanceFieldEvent | FrameHearsayLinesRefutationFieldEvent | FrameHearsayLinesVerdictFieldEvent | FrameHearsayLinesAgeMsFieldEvent | FrameStateUpdateDocumentFieldEvent | FrameStateUpdateUpdateFieldEvent | FrameStateUpdateLineageFieldEvent | FrameStateHelloRootFieldEvent | FrameStateSummaryDocumentsFieldEvent | FrameStateSummaryHashesFieldEvent | FrameStateDigestDocumentFieldEvent | FrameStateDigestVectorFieldEvent | FrameStateDigestDeletesFieldEvent | FrameStateDigestBytesMaxFieldEvent | FrameStateWantDocumentFieldEvent | FrameStateWantVectorFieldEvent | FrameStateWantRangesFieldEvent | FrameStateWantBytesMaxFieldEvent | FrameStatePieceDocumentFieldEvent | FrameStatePieceNumberFieldEvent | FrameStatePieceLastFieldEvent | FrameStatePieceUpdateFieldEvent | FrameStatePieceCutFieldEvent | FrameStateGotDocumentFieldEvent | FrameStateGotNumberFieldEvent | FrameStateHeldDocumentFieldEvent | FrameStateHeldBytesMaxFieldEvent | FrameStateHeldBytesFieldEvent | FrameStateHeldLaterFieldEvent | FrameStateHeldVectorFieldEvent | FrameStateHeldHashFieldEvent | FrameCheckpointTaskFieldEvent | FrameCheckpointSlotFieldEvent | FrameCheckpointSavedEpochFieldEvent | FrameCheckpointSavedSequenceFieldEvent | FrameCheckpointSavedCheckpointFieldEvent | FrameCheckpointSavedPastFieldEvent | FrameHandoverTaskFieldEvent | FrameHandoverSlotFieldEvent | FrameHandoverEpochFieldEvent | FrameHandoverCauseFieldEvent | FrameHandoverCoveredFieldEvent | FrameHandoverSavedEpochFieldEvent | FrameHandoverSavedSequenceFieldEvent | FrameHandoverSavedCheckpointFieldEvent | FrameHandoverSavedPastFieldEvent | FrameResultsAskedTasksFieldEvent | FrameResultsHeldTasksFieldEvent | FrameHandoverAheadTasksFieldEvent | FrameHandoverAskedTaskFieldEvent | FrameHandoverAskedSlotFieldEvent | FrameHandoverAskedEpochFieldEvent | FrameHandoverAskedSavedEpochFieldEvent | FrameHandoverAskedSavedSequenceFieldEvent | FrameHandoverAskedSavedCheckpointFieldEvent | FrameHandoverAskedSavedPastFieldEvent | FrameHandoverAnsweredTaskFieldEvent | FrameHandoverAnsweredSlotFieldEvent | FrameHandoverAnsweredEpochFieldEvent | FrameHandoverAnsweredSavedEpochFieldEvent | FrameHandoverAnsweredSavedSequenceFieldEvent | FrameHandoverAnsweredSavedCheckpointFieldEvent | FrameHandoverAnsweredSavedPastFieldEvent> {
    return streamMessage(buf, Frame.codec(), opts)
  }
}

export interface Sealed {
  body: Uint8Array
  signature: Uint8Array
}

export namespace Sealed {
  let _codec: Codec<Sealed>

  export const codec = (): Codec<Sealed> => {
    if (_codec == null) {
      _codec = message<Sealed>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.body != null && obj.body.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.body)
        }

        if ((obj.signature != null && obj.signature.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.signature)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          body: uint8ArrayAlloc(0),
          signature: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.body = reader.bytes()
              break
            }
            case 2: {
              obj.signature = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.body`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.signature`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface SealedBodyFieldEvent {
    field: '$.body'
    value: Uint8Array
  }

  export interface SealedSignatureFieldEvent {
    field: '$.signature'
    value: Uint8Array
  }

  export function encode (obj: Partial<Sealed>): Uint8Array {
    return encodeMessage(obj, Sealed.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Sealed>): Sealed {
    return decodeMessage(buf, Sealed.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Sealed>): Generator<SealedBodyFieldEvent | SealedSignatureFieldEvent> {
    return streamMessage(buf, Sealed.codec(), opts)
  }
}

export enum Health {
  OK = 'OK',
  STRAINED = 'STRAINED',
  FAILING = 'FAILING'
}

enum __HealthValues {
  OK = 0,
  STRAINED = 1,
  FAILING = 2
}

export namespace Health {
  export const codec = (): Codec<Health> => {
    return enumeration<Health>(__HealthValues)
  }
}

export interface Record {
  id: Uint8Array
  name: string
  generation: number
  instance: Uint8Array
  refutation: number
  left: boolean
  addresses: string[]
  dialable: boolean
  labels: Map<string, string>
  capacity?: number
  runs: string[]
  spaces: string[]
  settled: boolean
  draining: boolean
  health: Health
  reasons: string[]
  version: string
  startedAt: number
}

export namespace Record {
  export interface Record$labelsEntry {
    key: string
    value: string
  }

  export namespace Record$labelsEntry {
    let _codec: Codec<Record$labelsEntry>

    export const codec = (): Codec<Record$labelsEntry> => {
      if (_codec == null) {
        _codec = message<Record$labelsEntry>((obj, w, opts = {}) => {
          if (opts.lengthDelimited !== false) {
            w.fork()
          }

          if ((obj.key != null && obj.key !== '')) {
            w.uint32(10)
            w.string(obj.key)
          }

          if ((obj.value != null && obj.value !== '')) {
            w.uint32(18)
            w.string(obj.value)
          }

          if (opts.lengthDelimited !== false) {
            w.ldelim()
          }
        }, (reader, length, opts = {}) => {
          const obj: any = {
            key: '',
            value: ''
          }

          const end = length == null ? reader.len : reader.pos + length

          while (reader.pos < end) {
            const tag = reader.uint32()

            switch (tag >>> 3) {
              case 1: {
                obj.key = reader.string()
                break
              }
              case 2: {
                obj.value = reader.string()
                break
              }
              default: {
                reader.skipType(tag & 7)
                break
              }
            }
          }

          return obj
        }, function * (reader, length, prefix, opts = {}) {
          const end = length == null ? reader.len : reader.pos + length

          while (reader.pos < end) {
            const tag = reader.uint32()

            switch (tag >>> 3) {
              case 1: {
                yield {
                  field: `${prefix}.key`,
                  value: reader.string()
                }
                break
              }
              case 2: {
                yield {
                  field: `${prefix}.value`,
                  value: reader.string()
                }
                break
              }
              default: {
                reader.skipType(tag & 7)
                break
              }
            }
          }
        })
      }

      return _codec
    }

    export interface Record$labelsEntryKeyFieldEvent {
      field: '$.key'
      value: string
    }

    export interface Record$labelsEntryValueFieldEvent {
      field: '$.value'
      value: string
    }

    export function encode (obj: Partial<Record$labelsEntry>): Uint8Array {
      return encodeMessage(obj, Record$labelsEntry.codec())
    }

    export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Record$labelsEntry>): Record$labelsEntry {
      return decodeMessage(buf, Record$labelsEntry.codec(), opts)
    }

    export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Record$labelsEntry>): Generator<Record$labelsEntryKeyFieldEvent | Record$labelsEntryValueFieldEvent> {
      return streamMessage(buf, Record$labelsEntry.codec(), opts)
    }
  }

  let _codec: Codec<Record>

  export const codec = (): Codec<Record> => {
    if (_codec == null) {
      _codec = message<Record>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.id != null && obj.id.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.id)
        }

        if ((obj.name != null && obj.name !== '')) {
          w.uint32(18)
          w.string(obj.name)
        }

        if ((obj.generation != null && obj.generation !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.generation)
        }

        if ((obj.instance != null && obj.instance.byteLength > 0)) {
          w.uint32(34)
          w.bytes(obj.instance)
        }

        if ((obj.refutation != null && obj.refutation !== 0)) {
          w.uint32(40)
          w.uint64Number(obj.refutation)
        }

        if ((obj.left != null && obj.left !== false)) {
          w.uint32(48)
          w.bool(obj.left)
        }

        if (obj.addresses != null && obj.addresses.length > 0) {
          for (const value of obj.addresses) {
            w.uint32(58)
            w.string(value)
          }
        }

        if ((obj.dialable != null && obj.dialable !== false)) {
          w.uint32(64)
          w.bool(obj.dialable)
        }

        if (obj.labels != null && obj.labels.size > 0) {
          for (const [key, value] of obj.labels.entries()) {
            w.uint32(74)
            Record.Record$labelsEntry.codec().encode({ key, value }, w)
          }
        }

        if (obj.capacity != null) {
          w.uint32(80)
          w.uint64Number(obj.capacity)
        }

        if (obj.runs != null && obj.runs.length > 0) {
          for (const value of obj.runs) {
            w.uint32(90)
            w.string(value)
          }
        }

        if (obj.spaces != null && obj.spaces.length > 0) {
          for (const value of obj.spaces) {
            w.uint32(98)
            w.string(value)
          }
        }

        if ((obj.settled != null && obj.settled !== false)) {
          w.uint32(104)
          w.bool(obj.settled)
        }

        if ((obj.draining != null && obj.draining !== false)) {
          w.uint32(112)
          w.bool(obj.draining)
        }

        if (obj.health != null && __HealthValues[obj.health] !== 0) {
          w.uint32(120)
          Health.codec().encode(obj.health, w)
        }

        if (obj.reasons != null && obj.reasons.length > 0) {
          for (const value of obj.reasons) {
            w.uint32(130)
            w.string(value)
          }
        }

        if ((obj.version != null && obj.version !== '')) {
          w.uint32(138)
          w.string(obj.version)
        }

        if ((obj.startedAt != null && obj.startedAt !== 0)) {
          w.uint32(144)
          w.uint64Number(obj.startedAt)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          id: uint8ArrayAlloc(0),
          name: '',
          generation: 0,
          instance: uint8ArrayAlloc(0),
          refutation: 0,
          left: false,
          addresses: [],
          dialable: false,
          labels: new Map<string, string>(),
          runs: [],
          spaces: [],
          settled: false,
          draining: false,
          health: Health.OK,
          reasons: [],
          version: '',
          startedAt: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.id = reader.bytes()
              break
            }
            case 2: {
              obj.name = reader.string()
              break
            }
            case 3: {
              obj.generation = reader.uint64Number()
              break
            }
            case 4: {
              obj.instance = reader.bytes()
              break
            }
            case 5: {
              obj.refutation = reader.uint64Number()
              break
            }
            case 6: {
              obj.left = reader.bool()
              break
            }
            case 7: {
              if (opts.limits?.addresses != null && obj.addresses.length === opts.limits.addresses) {
                throw new MaxLengthError('Decode error - repeated field "addresses" had too many elements')
              }

              if (obj.addresses.length === 16) {
                throw new MaxLengthError('Decode error - repeated field "addresses" had too many elements')
              }

              obj.addresses.push(reader.string())
              break
            }
            case 8: {
              obj.dialable = reader.bool()
              break
            }
            case 9: {
              if (opts.limits?.labels != null && obj.labels.size === opts.limits.labels) {
                throw new MaxSizeError('Decode error - map field "labels" had too many elements')
              }

              if (obj.labels.size === 64) {
                throw new MaxSizeError('Decode error - map field "labels" had too many elements')
              }

              const entry = Record.Record$labelsEntry.codec().decode(reader, reader.uint32(), {
                limits: {
                  value: opts.limits?.labels$value
                }
              })
              obj.labels.set(entry.key, entry.value)
              break
            }
            case 10: {
              obj.capacity = reader.uint64Number()
              break
            }
            case 11: {
              if (opts.limits?.runs != null && obj.runs.length === opts.limits.runs) {
                throw new MaxLengthError('Decode error - repeated field "runs" had too many elements')
              }

              if (obj.runs.length === 256) {
                throw new MaxLengthError('Decode error - repeated field "runs" had too many elements')
              }

              obj.runs.push(reader.string())
              break
            }
            case 12: {
              if (opts.limits?.spaces != null && obj.spaces.length === opts.limits.spaces) {
                throw new MaxLengthError('Decode error - repeated field "spaces" had too many elements')
              }

              if (obj.spaces.length === 128) {
                throw new MaxLengthError('Decode error - repeated field "spaces" had too many elements')
              }

              obj.spaces.push(reader.string())
              break
            }
            case 13: {
              obj.settled = reader.bool()
              break
            }
            case 14: {
              obj.draining = reader.bool()
              break
            }
            case 15: {
              obj.health = Health.codec().decode(reader)
              break
            }
            case 16: {
              if (opts.limits?.reasons != null && obj.reasons.length === opts.limits.reasons) {
                throw new MaxLengthError('Decode error - repeated field "reasons" had too many elements')
              }

              if (obj.reasons.length === 16) {
                throw new MaxLengthError('Decode error - repeated field "reasons" had too many elements')
              }

              obj.reasons.push(reader.string())
              break
            }
            case 17: {
              obj.version = reader.string()
              break
            }
            case 18: {
              obj.startedAt = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          addresses: 16,
          labels: 64,
          runs: 256,
          spaces: 128,
          reasons: 16
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.id`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.name`,
                value: reader.string()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.generation`,
                value: reader.uint64Number()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.instance`,
                value: reader.bytes()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.refutation`,
                value: reader.uint64Number()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.left`,
                value: reader.bool()
              }
              break
            }
            case 7: {
              if (opts.limits?.addresses != null && obj.addresses === opts.limits.addresses) {
                throw new MaxLengthError('Streaming decode error - repeated field "addresses" had too many elements')
              }

              if (obj.addresses === 16) {
                throw new MaxLengthError('Streaming decode error - repeated field "addresses" had too many elements')
              }

              yield {
                field: `${prefix}.addresses[]`,
                index: obj.addresses,
                value: reader.string()
              }

              obj.addresses++

              break
            }
            case 8: {
              yield {
                field: `${prefix}.dialable`,
                value: reader.bool()
              }
              break
            }
            case 9: {
              if (opts.limits?.labels != null && obj.labels === opts.limits.labels) {
                throw new MaxLengthError('Decode error - map field "labels" had too many elements')
              }

              if (obj.labels === 64) {
                throw new MaxLengthError('Decode error - repeated field "labels" had too many elements')
              }

              yield * Record.Record$labelsEntry.codec().stream(reader, reader.uint32(), `${prefix}.labels{}`, {
                limits: {
                  value: opts.limits?.labels$value
                }
              })

              obj.labels++

              break
            }
            case 10: {
              yield {
                field: `${prefix}.capacity`,
                value: reader.uint64Number()
              }
              break
            }
            case 11: {
              if (opts.limits?.runs != null && obj.runs === opts.limits.runs) {
                throw new MaxLengthError('Streaming decode error - repeated field "runs" had too many elements')
              }

              if (obj.runs === 256) {
                throw new MaxLengthError('Streaming decode error - repeated field "runs" had too many elements')
              }

              yield {
                field: `${prefix}.runs[]`,
                index: obj.runs,
                value: reader.string()
              }

              obj.runs++

              break
            }
            case 12: {
              if (opts.limits?.spaces != null && obj.spaces === opts.limits.spaces) {
                throw new MaxLengthError('Streaming decode error - repeated field "spaces" had too many elements')
              }

              if (obj.spaces === 128) {
                throw new MaxLengthError('Streaming decode error - repeated field "spaces" had too many elements')
              }

              yield {
                field: `${prefix}.spaces[]`,
                index: obj.spaces,
                value: reader.string()
              }

              obj.spaces++

              break
            }
            case 13: {
              yield {
                field: `${prefix}.settled`,
                value: reader.bool()
              }
              break
            }
            case 14: {
              yield {
                field: `${prefix}.draining`,
                value: reader.bool()
              }
              break
            }
            case 15: {
              yield {
                field: `${prefix}.health`,
                value: Health.codec().decode(reader)
              }
              break
            }
            case 16: {
              if (opts.limits?.reasons != null && obj.reasons === opts.limits.reasons) {
                throw new MaxLengthError('Streaming decode error - repeated field "reasons" had too many elements')
              }

              if (obj.reasons === 16) {
                throw new MaxLengthError('Streaming decode error - repeated field "reasons" had too many elements')
              }

              yield {
                field: `${prefix}.reasons[]`,
                index: obj.reasons,
                value: reader.string()
              }

              obj.reasons++

              break
            }
            case 17: {
              yield {
                field: `${prefix}.version`,
                value: reader.string()
              }
              break
            }
            case 18: {
              yield {
                field: `${prefix}.startedAt`,
                value: reader.uint64Number()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface RecordIdFieldEvent {
    field: '$.id'
    value: Uint8Array
  }

  export interface RecordNameFieldEvent {
    field: '$.name'
    value: string
  }

  export interface RecordGenerationFieldEvent {
    field: '$.generation'
    value: number
  }

  export interface RecordInstanceFieldEvent {
    field: '$.instance'
    value: Uint8Array
  }

  export interface RecordRefutationFieldEvent {
    field: '$.refutation'
    value: number
  }

  export interface RecordLeftFieldEvent {
    field: '$.left'
    value: boolean
  }

  export interface RecordAddressesFieldEvent {
    field: '$.addresses[]'
    index: number
    value: string
  }

  export interface RecordDialableFieldEvent {
    field: '$.dialable'
    value: boolean
  }

  export interface RecordLabelsFieldEvent {
    field: '$.labels{}'
    key: string
    value: string
  }

  export interface RecordCapacityFieldEvent {
    field: '$.capacity'
    value: number
  }

  export interface RecordRunsFieldEvent {
    field: '$.runs[]'
    index: number
    value: string
  }

  export interface RecordSpacesFieldEvent {
    field: '$.spaces[]'
    index: number
    value: string
  }

  export interface RecordSettledFieldEvent {
    field: '$.settled'
    value: boolean
  }

  export interface RecordDrainingFieldEvent {
    field: '$.draining'
    value: boolean
  }

  export interface RecordHealthFieldEvent {
    field: '$.health'
    value: Health
  }

  export interface RecordReasonsFieldEvent {
    field: '$.reasons[]'
    index: number
    value: string
  }

  export interface RecordVersionFieldEvent {
    field: '$.version'
    value: string
  }

  export interface RecordStartedAtFieldEvent {
    field: '$.startedAt'
    value: number
  }

  export function encode (obj: Partial<Record>): Uint8Array {
    return encodeMessage(obj, Record.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Record>): Record {
    return decodeMessage(buf, Record.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Record>): Generator<RecordIdFieldEvent | RecordNameFieldEvent | RecordGenerationFieldEvent | RecordInstanceFieldEvent | RecordRefutationFieldEvent | RecordLeftFieldEvent | RecordAddressesFieldEvent | RecordDialableFieldEvent | RecordLabelsFieldEvent | RecordCapacityFieldEvent | RecordRunsFieldEvent | RecordSpacesFieldEvent | RecordSettledFieldEvent | RecordDrainingFieldEvent | RecordHealthFieldEvent | RecordReasonsFieldEvent | RecordVersionFieldEvent | RecordStartedAtFieldEvent> {
    return streamMessage(buf, Record.codec(), opts)
  }
}

export enum Evidence {
  REFUSED = 'REFUSED',
  SILENT = 'SILENT'
}

enum __EvidenceValues {
  REFUSED = 0,
  SILENT = 1
}

export namespace Evidence {
  export const codec = (): Codec<Evidence> => {
    return enumeration<Evidence>(__EvidenceValues)
  }
}

export interface Accusation {
  accuser: Uint8Array
  subject: Uint8Array
  generation: number
  instance: Uint8Array
  refutation: number
  evidence: Evidence
  at: number
}

export namespace Accusation {
  let _codec: Codec<Accusation>

  export const codec = (): Codec<Accusation> => {
    if (_codec == null) {
      _codec = message<Accusation>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.accuser != null && obj.accuser.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.accuser)
        }

        if ((obj.subject != null && obj.subject.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.subject)
        }

        if ((obj.generation != null && obj.generation !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.generation)
        }

        if ((obj.instance != null && obj.instance.byteLength > 0)) {
          w.uint32(34)
          w.bytes(obj.instance)
        }

        if ((obj.refutation != null && obj.refutation !== 0)) {
          w.uint32(40)
          w.uint64Number(obj.refutation)
        }

        if (obj.evidence != null && __EvidenceValues[obj.evidence] !== 0) {
          w.uint32(48)
          Evidence.codec().encode(obj.evidence, w)
        }

        if ((obj.at != null && obj.at !== 0)) {
          w.uint32(56)
          w.uint64Number(obj.at)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          accuser: uint8ArrayAlloc(0),
          subject: uint8ArrayAlloc(0),
          generation: 0,
          instance: uint8ArrayAlloc(0),
          refutation: 0,
          evidence: Evidence.REFUSED,
          at: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.accuser = reader.bytes()
              break
            }
            case 2: {
              obj.subject = reader.bytes()
              break
            }
            case 3: {
              obj.generation = reader.uint64Number()
              break
            }
            case 4: {
              obj.instance = reader.bytes()
              break
            }
            case 5: {
              obj.refutation = reader.uint64Number()
              break
            }
            case 6: {
              obj.evidence = Evidence.codec().decode(reader)
              break
            }
            case 7: {
              obj.at = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.accuser`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.subject`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.generation`,
                value: reader.uint64Number()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.instance`,
                value: reader.bytes()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.refutation`,
                value: reader.uint64Number()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.evidence`,
                value: Evidence.codec().decode(reader)
              }
              break
            }
            case 7: {
              yield {
                field: `${prefix}.at`,
                value: reader.uint64Number()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface AccusationAccuserFieldEvent {
    field: '$.accuser'
    value: Uint8Array
  }

  export interface AccusationSubjectFieldEvent {
    field: '$.subject'
    value: Uint8Array
  }

  export interface AccusationGenerationFieldEvent {
    field: '$.generation'
    value: number
  }

  export interface AccusationInstanceFieldEvent {
    field: '$.instance'
    value: Uint8Array
  }

  export interface AccusationRefutationFieldEvent {
    field: '$.refutation'
    value: number
  }

  export interface AccusationEvidenceFieldEvent {
    field: '$.evidence'
    value: Evidence
  }

  export interface AccusationAtFieldEvent {
    field: '$.at'
    value: number
  }

  export function encode (obj: Partial<Accusation>): Uint8Array {
    return encodeMessage(obj, Accusation.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Accusation>): Accusation {
    return decodeMessage(buf, Accusation.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Accusation>): Generator<AccusationAccuserFieldEvent | AccusationSubjectFieldEvent | AccusationGenerationFieldEvent | AccusationInstanceFieldEvent | AccusationRefutationFieldEvent | AccusationEvidenceFieldEvent | AccusationAtFieldEvent> {
    return streamMessage(buf, Accusation.codec(), opts)
  }
}

export interface Strike {
  issuer: Uint8Array
  subject: Uint8Array
  generationNumber: number
  at: number
}

export namespace Strike {
  let _codec: Codec<Strike>

  export const codec = (): Codec<Strike> => {
    if (_codec == null) {
      _codec = message<Strike>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.issuer != null && obj.issuer.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.issuer)
        }

        if ((obj.subject != null && obj.subject.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.subject)
        }

        if ((obj.generationNumber != null && obj.generationNumber !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.generationNumber)
        }

        if ((obj.at != null && obj.at !== 0)) {
          w.uint32(32)
          w.uint64Number(obj.at)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          issuer: uint8ArrayAlloc(0),
          subject: uint8ArrayAlloc(0),
          generationNumber: 0,
          at: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.issuer = reader.bytes()
              break
            }
            case 2: {
              obj.subject = reader.bytes()
              break
            }
            case 3: {
              obj.generationNumber = reader.uint64Number()
              break
            }
            case 4: {
              obj.at = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.issuer`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.subject`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.generationNumber`,
                value: reader.uint64Number()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.at`,
                value: reader.uint64Number()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface StrikeIssuerFieldEvent {
    field: '$.issuer'
    value: Uint8Array
  }

  export interface StrikeSubjectFieldEvent {
    field: '$.subject'
    value: Uint8Array
  }

  export interface StrikeGenerationNumberFieldEvent {
    field: '$.generationNumber'
    value: number
  }

  export interface StrikeAtFieldEvent {
    field: '$.at'
    value: number
  }

  export function encode (obj: Partial<Strike>): Uint8Array {
    return encodeMessage(obj, Strike.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Strike>): Strike {
    return decodeMessage(buf, Strike.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Strike>): Generator<StrikeIssuerFieldEvent | StrikeSubjectFieldEvent | StrikeGenerationNumberFieldEvent | StrikeAtFieldEvent> {
    return streamMessage(buf, Strike.codec(), opts)
  }
}

export enum Verdict {
  ALIVE = 'ALIVE',
  SUSPECT = 'SUSPECT',
  DEAD = 'DEAD',
  LEFT = 'LEFT'
}

enum __VerdictValues {
  ALIVE = 0,
  SUSPECT = 1,
  DEAD = 2,
  LEFT = 3
}

export namespace Verdict {
  export const codec = (): Codec<Verdict> => {
    return enumeration<Verdict>(__VerdictValues)
  }
}

export interface Summary {
  id: Uint8Array
  generation: number
  instance: Uint8Array
  refutation: number
  verdict: Verdict
  ageMs: number
}

export namespace Summary {
  let _codec: Codec<Summary>

  export const codec = (): Codec<Summary> => {
    if (_codec == null) {
      _codec = message<Summary>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.id != null && obj.id.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.id)
        }

        if ((obj.generation != null && obj.generation !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.generation)
        }

        if ((obj.instance != null && obj.instance.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.instance)
        }

        if ((obj.refutation != null && obj.refutation !== 0)) {
          w.uint32(32)
          w.uint64Number(obj.refutation)
        }

        if (obj.verdict != null && __VerdictValues[obj.verdict] !== 0) {
          w.uint32(40)
          Verdict.codec().encode(obj.verdict, w)
        }

        if ((obj.ageMs != null && obj.ageMs !== 0)) {
          w.uint32(48)
          w.uint64Number(obj.ageMs)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          id: uint8ArrayAlloc(0),
          generation: 0,
          instance: uint8ArrayAlloc(0),
          refutation: 0,
          verdict: Verdict.ALIVE,
          ageMs: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.id = reader.bytes()
              break
            }
            case 2: {
              obj.generation = reader.uint64Number()
              break
            }
            case 3: {
              obj.instance = reader.bytes()
              break
            }
            case 4: {
              obj.refutation = reader.uint64Number()
              break
            }
            case 5: {
              obj.verdict = Verdict.codec().decode(reader)
              break
            }
            case 6: {
              obj.ageMs = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.id`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.generation`,
                value: reader.uint64Number()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.instance`,
                value: reader.bytes()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.refutation`,
                value: reader.uint64Number()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.verdict`,
                value: Verdict.codec().decode(reader)
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.ageMs`,
                value: reader.uint64Number()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface SummaryIdFieldEvent {
    field: '$.id'
    value: Uint8Array
  }

  export interface SummaryGenerationFieldEvent {
    field: '$.generation'
    value: number
  }

  export interface SummaryInstanceFieldEvent {
    field: '$.instance'
    value: Uint8Array
  }

  export interface SummaryRefutationFieldEvent {
    field: '$.refutation'
    value: number
  }

  export interface SummaryVerdictFieldEvent {
    field: '$.verdict'
    value: Verdict
  }

  export interface SummaryAgeMsFieldEvent {
    field: '$.ageMs'
    value: number
  }

  export function encode (obj: Partial<Summary>): Uint8Array {
    return encodeMessage(obj, Summary.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Summary>): Summary {
    return decodeMessage(buf, Summary.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Summary>): Generator<SummaryIdFieldEvent | SummaryGenerationFieldEvent | SummaryInstanceFieldEvent | SummaryRefutationFieldEvent | SummaryVerdictFieldEvent | SummaryAgeMsFieldEvent> {
    return streamMessage(buf, Summary.codec(), opts)
  }
}

export interface Hello {
  record?: Sealed
}

export namespace Hello {
  let _codec: Codec<Hello>

  export const codec = (): Codec<Hello> => {
    if (_codec == null) {
      _codec = message<Hello>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.record != null) {
          w.uint32(10)
          Sealed.codec().encode(obj.record, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {}

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.record = Sealed.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.record
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * Sealed.codec().stream(reader, reader.uint32(), `${prefix}.record`, {
                limits: opts.limits?.record
              })

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface HelloRecordBodyFieldEvent {
    field: '$.record.body'
    value: Uint8Array
  }

  export interface HelloRecordSignatureFieldEvent {
    field: '$.record.signature'
    value: Uint8Array
  }

  export function encode (obj: Partial<Hello>): Uint8Array {
    return encodeMessage(obj, Hello.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Hello {
    return decodeMessage(buf, Hello.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Generator<HelloRecordBodyFieldEvent | HelloRecordSignatureFieldEvent> {
    return streamMessage(buf, Hello.codec(), opts)
  }
}

export interface Heartbeat {
  meshTime: number
  view?: number
}

export namespace Heartbeat {
  let _codec: Codec<Heartbeat>

  export const codec = (): Codec<Heartbeat> => {
    if (_codec == null) {
      _codec = message<Heartbeat>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.meshTime != null && obj.meshTime !== 0)) {
          w.uint32(8)
          w.uint64Number(obj.meshTime)
        }

        if (obj.view != null) {
          w.uint32(21)
          w.fixed32(obj.view)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          meshTime: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.meshTime = reader.uint64Number()
              break
            }
            case 2: {
              obj.view = reader.fixed32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.meshTime`,
                value: reader.uint64Number()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.view`,
                value: reader.fixed32()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface HeartbeatMeshTimeFieldEvent {
    field: '$.meshTime'
    value: number
  }

  export interface HeartbeatViewFieldEvent {
    field: '$.view'
    value: number
  }

  export function encode (obj: Partial<Heartbeat>): Uint8Array {
    return encodeMessage(obj, Heartbeat.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Heartbeat>): Heartbeat {
    return decodeMessage(buf, Heartbeat.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Heartbeat>): Generator<HeartbeatMeshTimeFieldEvent | HeartbeatViewFieldEvent> {
    return streamMessage(buf, Heartbeat.codec(), opts)
  }
}

export interface Ping {
  nonce: number
  meshTime: number
}

export namespace Ping {
  let _codec: Codec<Ping>

  export const codec = (): Codec<Ping> => {
    if (_codec == null) {
      _codec = message<Ping>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.nonce != null && obj.nonce !== 0)) {
          w.uint32(8)
          w.uint32(obj.nonce)
        }

        if ((obj.meshTime != null && obj.meshTime !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.meshTime)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          nonce: 0,
          meshTime: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.nonce = reader.uint32()
              break
            }
            case 2: {
              obj.meshTime = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.nonce`,
                value: reader.uint32()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.meshTime`,
                value: reader.uint64Number()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface PingNonceFieldEvent {
    field: '$.nonce'
    value: number
  }

  export interface PingMeshTimeFieldEvent {
    field: '$.meshTime'
    value: number
  }

  export function encode (obj: Partial<Ping>): Uint8Array {
    return encodeMessage(obj, Ping.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Ping>): Ping {
    return decodeMessage(buf, Ping.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Ping>): Generator<PingNonceFieldEvent | PingMeshTimeFieldEvent> {
    return streamMessage(buf, Ping.codec(), opts)
  }
}

export interface Pong {
  nonce: number
  meshTime: number
}

export namespace Pong {
  let _codec: Codec<Pong>

  export const codec = (): Codec<Pong> => {
    if (_codec == null) {
      _codec = message<Pong>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.nonce != null && obj.nonce !== 0)) {
          w.uint32(8)
          w.uint32(obj.nonce)
        }

        if ((obj.meshTime != null && obj.meshTime !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.meshTime)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          nonce: 0,
          meshTime: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.nonce = reader.uint32()
              break
            }
            case 2: {
              obj.meshTime = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.nonce`,
                value: reader.uint32()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.meshTime`,
                value: reader.uint64Number()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface PongNonceFieldEvent {
    field: '$.nonce'
    value: number
  }

  export interface PongMeshTimeFieldEvent {
    field: '$.meshTime'
    value: number
  }

  export function encode (obj: Partial<Pong>): Uint8Array {
    return encodeMessage(obj, Pong.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Pong>): Pong {
    return decodeMessage(buf, Pong.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Pong>): Generator<PongNonceFieldEvent | PongMeshTimeFieldEvent> {
    return streamMessage(buf, Pong.codec(), opts)
  }
}

export interface Want {
  on: boolean
}

export namespace Want {
  let _codec: Codec<Want>

  export const codec = (): Codec<Want> => {
    if (_codec == null) {
      _codec = message<Want>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.on != null && obj.on !== false)) {
          w.uint32(8)
          w.bool(obj.on)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          on: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.on = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.on`,
                value: reader.bool()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface WantOnFieldEvent {
    field: '$.on'
    value: boolean
  }

  export function encode (obj: Partial<Want>): Uint8Array {
    return encodeMessage(obj, Want.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Want>): Want {
    return decodeMessage(buf, Want.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Want>): Generator<WantOnFieldEvent> {
    return streamMessage(buf, Want.codec(), opts)
  }
}

export interface Rumor {
  records: Sealed[]
  accusations: Sealed[]
  strikes: Sealed[]
}

export namespace Rumor {
  let _codec: Codec<Rumor>

  export const codec = (): Codec<Rumor> => {
    if (_codec == null) {
      _codec = message<Rumor>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.records != null && obj.records.length > 0) {
          for (const value of obj.records) {
            w.uint32(10)
            Sealed.codec().encode(value, w)
          }
        }

        if (obj.accusations != null && obj.accusations.length > 0) {
          for (const value of obj.accusations) {
            w.uint32(18)
            Sealed.codec().encode(value, w)
          }
        }

        if (obj.strikes != null && obj.strikes.length > 0) {
          for (const value of obj.strikes) {
            w.uint32(26)
            Sealed.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          records: [],
          accusations: [],
          strikes: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.records != null && obj.records.length === opts.limits.records) {
                throw new MaxLengthError('Decode error - repeated field "records" had too many elements')
              }

              if (obj.records.length === 4096) {
                throw new MaxLengthError('Decode error - repeated field "records" had too many elements')
              }

              obj.records.push(Sealed.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.records$
              }))
              break
            }
            case 2: {
              if (opts.limits?.accusations != null && obj.accusations.length === opts.limits.accusations) {
                throw new MaxLengthError('Decode error - repeated field "accusations" had too many elements')
              }

              if (obj.accusations.length === 4096) {
                throw new MaxLengthError('Decode error - repeated field "accusations" had too many elements')
              }

              obj.accusations.push(Sealed.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.accusations$
              }))
              break
            }
            case 3: {
              if (opts.limits?.strikes != null && obj.strikes.length === opts.limits.strikes) {
                throw new MaxLengthError('Decode error - repeated field "strikes" had too many elements')
              }

              if (obj.strikes.length === 4096) {
                throw new MaxLengthError('Decode error - repeated field "strikes" had too many elements')
              }

              obj.strikes.push(Sealed.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.strikes$
              }))
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          records: 4096,
          accusations: 4096,
          strikes: 4096
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.records != null && obj.records === opts.limits.records) {
                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements')
              }

              if (obj.records === 4096) {
                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements')
              }

              for (const evt of Sealed.codec().stream(reader, reader.uint32(), `${prefix}.records[]`, {
                limits: opts.limits?.records$
              })) {
                yield {
                  ...evt,
                  index: obj.records
                }
              }

              obj.records++

              break
            }
            case 2: {
              if (opts.limits?.accusations != null && obj.accusations === opts.limits.accusations) {
                throw new MaxLengthError('Streaming decode error - repeated field "accusations" had too many elements')
              }

              if (obj.accusations === 4096) {
                throw new MaxLengthError('Streaming decode error - repeated field "accusations" had too many elements')
              }

              for (const evt of Sealed.codec().stream(reader, reader.uint32(), `${prefix}.accusations[]`, {
                limits: opts.limits?.accusations$
              })) {
                yield {
                  ...evt,
                  index: obj.accusations
                }
              }

              obj.accusations++

              break
            }
            case 3: {
              if (opts.limits?.strikes != null && obj.strikes === opts.limits.strikes) {
                throw new MaxLengthError('Streaming decode error - repeated field "strikes" had too many elements')
              }

              if (obj.strikes === 4096) {
                throw new MaxLengthError('Streaming decode error - repeated field "strikes" had too many elements')
              }

              for (const evt of Sealed.codec().stream(reader, reader.uint32(), `${prefix}.strikes[]`, {
                limits: opts.limits?.strikes$
              })) {
                yield {
                  ...evt,
                  index: obj.strikes
                }
              }

              obj.strikes++

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface RumorRecordsBodyFieldEvent {
    field: '$.records[].body'
    value: Uint8Array
    index: number
  }

  export interface RumorRecordsSignatureFieldEvent {
    field: '$.records[].signature'
    value: Uint8Array
    index: number
  }

  export interface RumorAccusationsBodyFieldEvent {
    field: '$.accusations[].body'
    value: Uint8Array
    index: number
  }

  export interface RumorAccusationsSignatureFieldEvent {
    field: '$.accusations[].signature'
    value: Uint8Array
    index: number
  }

  export interface RumorStrikesBodyFieldEvent {
    field: '$.strikes[].body'
    value: Uint8Array
    index: number
  }

  export interface RumorStrikesSignatureFieldEvent {
    field: '$.strikes[].signature'
    value: Uint8Array
    index: number
  }

  export function encode (obj: Partial<Rumor>): Uint8Array {
    return encodeMessage(obj, Rumor.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Rumor>): Rumor {
    return decodeMessage(buf, Rumor.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Rumor>): Generator<RumorRecordsBodyFieldEvent | RumorRecordsSignatureFieldEvent | RumorAccusationsBodyFieldEvent | RumorAccusationsSignatureFieldEvent | RumorStrikesBodyFieldEvent | RumorStrikesSignatureFieldEvent> {
    return streamMessage(buf, Rumor.codec(), opts)
  }
}

export interface MemberDigest {
  buckets: number[]
}

export namespace MemberDigest {
  let _codec: Codec<MemberDigest>

  export const codec = (): Codec<MemberDigest> => {
    if (_codec == null) {
      _codec = message<MemberDigest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.buckets != null && obj.buckets.length > 0) {
          for (const value of obj.buckets) {
            w.uint32(13)
            w.fixed32(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          buckets: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.buckets != null && obj.buckets.length === opts.limits.buckets) {
                throw new MaxLengthError('Decode error - repeated field "buckets" had too many elements')
              }

              if (obj.buckets.length === 4096) {
                throw new MaxLengthError('Decode error - repeated field "buckets" had too many elements')
              }

              obj.buckets.push(reader.fixed32())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          buckets: 4096
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.buckets != null && obj.buckets === opts.limits.buckets) {
                throw new MaxLengthError('Streaming decode error - repeated field "buckets" had too many elements')
              }

              if (obj.buckets === 4096) {
                throw new MaxLengthError('Streaming decode error - repeated field "buckets" had too many elements')
              }

              yield {
                field: `${prefix}.buckets[]`,
                index: obj.buckets,
                value: reader.fixed32()
              }

              obj.buckets++

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface MemberDigestBucketsFieldEvent {
    field: '$.buckets[]'
    index: number
    value: number
  }

  export function encode (obj: Partial<MemberDigest>): Uint8Array {
    return encodeMessage(obj, MemberDigest.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<MemberDigest>): MemberDigest {
    return decodeMessage(buf, MemberDigest.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<MemberDigest>): Generator<MemberDigestBucketsFieldEvent> {
    return streamMessage(buf, MemberDigest.codec(), opts)
  }
}

export interface MemberSummaries {
  buckets: number[]
  lines: Summary[]
  answer: boolean
}

export namespace MemberSummaries {
  let _codec: Codec<MemberSummaries>

  export const codec = (): Codec<MemberSummaries> => {
    if (_codec == null) {
      _codec = message<MemberSummaries>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.buckets != null && obj.buckets.length > 0) {
          for (const value of obj.buckets) {
            w.uint32(8)
            w.uint32(value)
          }
        }

        if (obj.lines != null && obj.lines.length > 0) {
          for (const value of obj.lines) {
            w.uint32(18)
            Summary.codec().encode(value, w)
          }
        }

        if ((obj.answer != null && obj.answer !== false)) {
          w.uint32(24)
          w.bool(obj.answer)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          buckets: [],
          lines: [],
          answer: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.buckets != null && obj.buckets.length === opts.limits.buckets) {
                throw new MaxLengthError('Decode error - repeated field "buckets" had too many elements')
              }

              if (obj.buckets.length === 4096) {
                throw new MaxLengthError('Decode error - repeated field "buckets" had too many elements')
              }

              obj.buckets.push(reader.uint32())
              break
            }
            case 2: {
              if (opts.limits?.lines != null && obj.lines.length === opts.limits.lines) {
                throw new MaxLengthError('Decode error - repeated field "lines" had too many elements')
              }

              if (obj.lines.length === 16384) {
                throw new MaxLengthError('Decode error - repeated field "lines" had too many elements')
              }

              obj.lines.push(Summary.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.lines$
              }))
              break
            }
            case 3: {
              obj.answer = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          buckets: 4096,
          lines: 16384
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.buckets != null && obj.buckets === opts.limits.buckets) {
                throw new MaxLengthError('Streaming decode error - repeated field "buckets" had too many elements')
              }

              if (obj.buckets === 4096) {
                throw new MaxLengthError('Streaming decode error - repeated field "buckets" had too many elements')
              }

              yield {
                field: `${prefix}.buckets[]`,
                index: obj.buckets,
                value: reader.uint32()
              }

              obj.buckets++

              break
            }
            case 2: {
              if (opts.limits?.lines != null && obj.lines === opts.limits.lines) {
                throw new MaxLengthError('Streaming decode error - repeated field "lines" had too many elements')
              }

              if (obj.lines === 16384) {
                throw new MaxLengthError('Streaming decode error - repeated field "lines" had too many elements')
              }

              for (const evt of Summary.codec().stream(reader, reader.uint32(), `${prefix}.lines[]`, {
                limits: opts.limits?.lines$
              })) {
                yield {
                  ...evt,
                  index: obj.lines
                }
              }

              obj.lines++

              break
            }
            case 3: {
              yield {
                field: `${prefix}.answer`,
                value: reader.bool()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface MemberSummariesBucketsFieldEvent {
    field: '$.buckets[]'
    index: number
    value: number
  }

  export interface MemberSummariesLinesIdFieldEvent {
    field: '$.lines[].id'
    value: Uint8Array
    index: number
  }

  export interface MemberSummariesLinesGenerationFieldEvent {
    field: '$.lines[].generation'
    value: number
    index: number
  }

  export interface MemberSummariesLinesInstanceFieldEvent {
    field: '$.lines[].instance'
    value: Uint8Array
    index: number
  }

  export interface MemberSummariesLinesRefutationFieldEvent {
    field: '$.lines[].refutation'
    value: number
    index: number
  }

  export interface MemberSummariesLinesVerdictFieldEvent {
    field: '$.lines[].verdict'
    value: Verdict
    index: number
  }

  export interface MemberSummariesLinesAgeMsFieldEvent {
    field: '$.lines[].ageMs'
    value: number
    index: number
  }

  export interface MemberSummariesAnswerFieldEvent {
    field: '$.answer'
    value: boolean
  }

  export function encode (obj: Partial<MemberSummaries>): Uint8Array {
    return encodeMessage(obj, MemberSummaries.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<MemberSummaries>): MemberSummaries {
    return decodeMessage(buf, MemberSummaries.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<MemberSummaries>): Generator<MemberSummariesBucketsFieldEvent | MemberSummariesLinesIdFieldEvent | MemberSummariesLinesGenerationFieldEvent | MemberSummariesLinesInstanceFieldEvent | MemberSummariesLinesRefutationFieldEvent | MemberSummariesLinesVerdictFieldEvent | MemberSummariesLinesAgeMsFieldEvent | MemberSummariesAnswerFieldEvent> {
    return streamMessage(buf, MemberSummaries.codec(), opts)
  }
}

export interface MemberWants {
  ids: Uint8Array[]
}

export namespace MemberWants {
  let _codec: Codec<MemberWants>

  export const codec = (): Codec<MemberWants> => {
    if (_codec == null) {
      _codec = message<MemberWants>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.ids != null && obj.ids.length > 0) {
          for (const value of obj.ids) {
            w.uint32(10)
            w.bytes(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          ids: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.ids != null && obj.ids.length === opts.limits.ids) {
                throw new MaxLengthError('Decode error - repeated field "ids" had too many elements')
              }

              if (obj.ids.length === 16384) {
                throw new MaxLengthError('Decode error - repeated field "ids" had too many elements')
              }

              obj.ids.push(reader.bytes())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          ids: 16384
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.ids != null && obj.ids === opts.limits.ids) {
                throw new MaxLengthError('Streaming decode error - repeated field "ids" had too many elements')
              }

              if (obj.ids === 16384) {
                throw new MaxLengthError('Streaming decode error - repeated field "ids" had too many elements')
              }

              yield {
                field: `${prefix}.ids[]`,
                index: obj.ids,
                value: reader.bytes()
              }

              obj.ids++

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface MemberWantsIdsFieldEvent {
    field: '$.ids[]'
    index: number
    value: Uint8Array
  }

  export function encode (obj: Partial<MemberWants>): Uint8Array {
    return encodeMessage(obj, MemberWants.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<MemberWants>): MemberWants {
    return decodeMessage(buf, MemberWants.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<MemberWants>): Generator<MemberWantsIdsFieldEvent> {
    return streamMessage(buf, MemberWants.codec(), opts)
  }
}

export interface Hearsay {
  lines: Summary[]
}

export namespace Hearsay {
  let _codec: Codec<Hearsay>

  export const codec = (): Codec<Hearsay> => {
    if (_codec == null) {
      _codec = message<Hearsay>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.lines != null && obj.lines.length > 0) {
          for (const value of obj.lines) {
            w.uint32(10)
            Summary.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          lines: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.lines != null && obj.lines.length === opts.limits.lines) {
                throw new MaxLengthError('Decode error - repeated field "lines" had too many elements')
              }

              if (obj.lines.length === 16384) {
                throw new MaxLengthError('Decode error - repeated field "lines" had too many elements')
              }

              obj.lines.push(Summary.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.lines$
              }))
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          lines: 16384
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.lines != null && obj.lines === opts.limits.lines) {
                throw new MaxLengthError('Streaming decode error - repeated field "lines" had too many elements')
              }

              if (obj.lines === 16384) {
                throw new MaxLengthError('Streaming decode error - repeated field "lines" had too many elements')
              }

              for (const evt of Summary.codec().stream(reader, reader.uint32(), `${prefix}.lines[]`, {
                limits: opts.limits?.lines$
              })) {
                yield {
                  ...evt,
                  index: obj.lines
                }
              }

              obj.lines++

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface HearsayLinesIdFieldEvent {
    field: '$.lines[].id'
    value: Uint8Array
    index: number
  }

  export interface HearsayLinesGenerationFieldEvent {
    field: '$.lines[].generation'
    value: number
    index: number
  }

  export interface HearsayLinesInstanceFieldEvent {
    field: '$.lines[].instance'
    value: Uint8Array
    index: number
  }

  export interface HearsayLinesRefutationFieldEvent {
    field: '$.lines[].refutation'
    value: number
    index: number
  }

  export interface HearsayLinesVerdictFieldEvent {
    field: '$.lines[].verdict'
    value: Verdict
    index: number
  }

  export interface HearsayLinesAgeMsFieldEvent {
    field: '$.lines[].ageMs'
    value: number
    index: number
  }

  export function encode (obj: Partial<Hearsay>): Uint8Array {
    return encodeMessage(obj, Hearsay.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hearsay>): Hearsay {
    return decodeMessage(buf, Hearsay.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hearsay>): Generator<HearsayLinesIdFieldEvent | HearsayLinesGenerationFieldEvent | HearsayLinesInstanceFieldEvent | HearsayLinesRefutationFieldEvent | HearsayLinesVerdictFieldEvent | HearsayLinesAgeMsFieldEvent> {
    return streamMessage(buf, Hearsay.codec(), opts)
  }
}

export interface StateUpdate {
  document: string
  update: Uint8Array
  lineage: string
}

export namespace StateUpdate {
  let _codec: Codec<StateUpdate>

  export const codec = (): Codec<StateUpdate> => {
    if (_codec == null) {
      _codec = message<StateUpdate>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.document != null && obj.document !== '')) {
          w.uint32(10)
          w.string(obj.document)
        }

        if ((obj.update != null && obj.update.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.update)
        }

        if ((obj.lineage != null && obj.lineage !== '')) {
          w.uint32(26)
          w.string(obj.lineage)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          document: '',
          update: uint8ArrayAlloc(0),
          lineage: ''
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.document = reader.string()
              break
            }
            case 2: {
              obj.update = reader.bytes()
              break
            }
            case 3: {
              obj.lineage = reader.string()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.document`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.update`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.lineage`,
                value: reader.string()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface StateUpdateDocumentFieldEvent {
    field: '$.document'
    value: string
  }

  export interface StateUpdateUpdateFieldEvent {
    field: '$.update'
    value: Uint8Array
  }

  export interface StateUpdateLineageFieldEvent {
    field: '$.lineage'
    value: string
  }

  export function encode (obj: Partial<StateUpdate>): Uint8Array {
    return encodeMessage(obj, StateUpdate.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateUpdate>): StateUpdate {
    return decodeMessage(buf, StateUpdate.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateUpdate>): Generator<StateUpdateDocumentFieldEvent | StateUpdateUpdateFieldEvent | StateUpdateLineageFieldEvent> {
    return streamMessage(buf, StateUpdate.codec(), opts)
  }
}

export interface StateHello {
  root: Uint8Array
}

export namespace StateHello {
  let _codec: Codec<StateHello>

  export const codec = (): Codec<StateHello> => {
    if (_codec == null) {
      _codec = message<StateHello>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.root != null && obj.root.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.root)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          root: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.root = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.root`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface StateHelloRootFieldEvent {
    field: '$.root'
    value: Uint8Array
  }

  export function encode (obj: Partial<StateHello>): Uint8Array {
    return encodeMessage(obj, StateHello.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateHello>): StateHello {
    return decodeMessage(buf, StateHello.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateHello>): Generator<StateHelloRootFieldEvent> {
    return streamMessage(buf, StateHello.codec(), opts)
  }
}

export interface StateSummary {
  documents: string[]
  hashes: Uint8Array
}

export namespace StateSummary {
  let _codec: Codec<StateSummary>

  export const codec = (): Codec<StateSummary> => {
    if (_codec == null) {
      _codec = message<StateSummary>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.documents != null && obj.documents.length > 0) {
          for (const value of obj.documents) {
            w.uint32(10)
            w.string(value)
          }
        }

        if ((obj.hashes != null && obj.hashes.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.hashes)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          documents: [],
          hashes: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.documents != null && obj.documents.length === opts.limits.documents) {
                throw new MaxLengthError('Decode error - repeated field "documents" had too many elements')
              }

              if (obj.documents.length === 16384) {
                throw new MaxLengthError('Decode error - repeated field "documents" had too many elements')
              }

              obj.documents.push(reader.string())
              break
            }
            case 2: {
              obj.hashes = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          documents: 16384
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.documents != null && obj.documents === opts.limits.documents) {
                throw new MaxLengthError('Streaming decode error - repeated field "documents" had too many elements')
              }

              if (obj.documents === 16384) {
                throw new MaxLengthError('Streaming decode error - repeated field "documents" had too many elements')
              }

              yield {
                field: `${prefix}.documents[]`,
                index: obj.documents,
                value: reader.string()
              }

              obj.documents++

              break
            }
            case 2: {
              yield {
                field: `${prefix}.hashes`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface StateSummaryDocumentsFieldEvent {
    field: '$.documents[]'
    index: number
    value: string
  }

  export interface StateSummaryHashesFieldEvent {
    field: '$.hashes'
    value: Uint8Array
  }

  export function encode (obj: Partial<StateSummary>): Uint8Array {
    return encodeMessage(obj, StateSummary.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateSummary>): StateSummary {
    return decodeMessage(buf, StateSummary.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateSummary>): Generator<StateSummaryDocumentsFieldEvent | StateSummaryHashesFieldEvent> {
    return streamMessage(buf, StateSummary.codec(), opts)
  }
}

export interface StateDigest {
  document: string
  vector: Uint8Array
  deletes: Uint8Array
  bytesMax?: number
}

export namespace StateDigest {
  let _codec: Codec<StateDigest>

  export const codec = (): Codec<StateDigest> => {
    if (_codec == null) {
      _codec = message<StateDigest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.document != null && obj.document !== '')) {
          w.uint32(10)
          w.string(obj.document)
        }

        if ((obj.vector != null && obj.vector.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.vector)
        }

        if ((obj.deletes != null && obj.deletes.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.deletes)
        }

        if (obj.bytesMax != null) {
          w.uint32(32)
          w.uint32(obj.bytesMax)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          document: '',
          vector: uint8ArrayAlloc(0),
          deletes: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.document = reader.string()
              break
            }
            case 2: {
              obj.vector = reader.bytes()
              break
            }
            case 3: {
              obj.deletes = reader.bytes()
              break
            }
            case 4: {
              obj.bytesMax = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.document`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.vector`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.deletes`,
                value: reader.bytes()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.bytesMax`,
                value: reader.uint32()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface StateDigestDocumentFieldEvent {
    field: '$.document'
    value: string
  }

  export interface StateDigestVectorFieldEvent {
    field: '$.vector'
    value: Uint8Array
  }

  export interface StateDigestDeletesFieldEvent {
    field: '$.deletes'
    value: Uint8Array
  }

  export interface StateDigestBytesMaxFieldEvent {
    field: '$.bytesMax'
    value: number
  }

  export function encode (obj: Partial<StateDigest>): Uint8Array {
    return encodeMessage(obj, StateDigest.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateDigest>): StateDigest {
    return decodeMessage(buf, StateDigest.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateDigest>): Generator<StateDigestDocumentFieldEvent | StateDigestVectorFieldEvent | StateDigestDeletesFieldEvent | StateDigestBytesMaxFieldEvent> {
    return streamMessage(buf, StateDigest.codec(), opts)
  }
}

export interface StateWant {
  document: string
  vector: Uint8Array
  ranges: Uint8Array
  bytesMax?: number
}

export namespace StateWant {
  let _codec: Codec<StateWant>

  export const codec = (): Codec<StateWant> => {
    if (_codec == null) {
      _codec = message<StateWant>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.document != null && obj.document !== '')) {
          w.uint32(10)
          w.string(obj.document)
        }

        if ((obj.vector != null && obj.vector.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.vector)
        }

        if ((obj.ranges != null && obj.ranges.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.ranges)
        }

        if (obj.bytesMax != null) {
          w.uint32(32)
          w.uint32(obj.bytesMax)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          document: '',
          vector: uint8ArrayAlloc(0),
          ranges: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.document = reader.string()
              break
            }
            case 2: {
              obj.vector = reader.bytes()
              break
            }
            case 3: {
              obj.ranges = reader.bytes()
              break
            }
            case 4: {
              obj.bytesMax = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.document`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.vector`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.ranges`,
                value: reader.bytes()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.bytesMax`,
                value: reader.uint32()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface StateWantDocumentFieldEvent {
    field: '$.document'
    value: string
  }

  export interface StateWantVectorFieldEvent {
    field: '$.vector'
    value: Uint8Array
  }

  export interface StateWantRangesFieldEvent {
    field: '$.ranges'
    value: Uint8Array
  }

  export interface StateWantBytesMaxFieldEvent {
    field: '$.bytesMax'
    value: number
  }

  export function encode (obj: Partial<StateWant>): Uint8Array {
    return encodeMessage(obj, StateWant.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateWant>): StateWant {
    return decodeMessage(buf, StateWant.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateWant>): Generator<StateWantDocumentFieldEvent | StateWantVectorFieldEvent | StateWantRangesFieldEvent | StateWantBytesMaxFieldEvent> {
    return streamMessage(buf, StateWant.codec(), opts)
  }
}

export interface StatePiece {
  document: string
  number: number
  last: boolean
  update: Uint8Array
  cut: boolean
}

export namespace StatePiece {
  let _codec: Codec<StatePiece>

  export const codec = (): Codec<StatePiece> => {
    if (_codec == null) {
      _codec = message<StatePiece>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.document != null && obj.document !== '')) {
          w.uint32(10)
          w.string(obj.document)
        }

        if ((obj.number != null && obj.number !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.number)
        }

        if ((obj.last != null && obj.last !== false)) {
          w.uint32(24)
          w.bool(obj.last)
        }

        if ((obj.update != null && obj.update.byteLength > 0)) {
          w.uint32(34)
          w.bytes(obj.update)
        }

        if ((obj.cut != null && obj.cut !== false)) {
          w.uint32(40)
          w.bool(obj.cut)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          document: '',
          number: 0,
          last: false,
          update: uint8ArrayAlloc(0),
          cut: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.document = reader.string()
              break
            }
            case 2: {
              obj.number = reader.uint64Number()
              break
            }
            case 3: {
              obj.last = reader.bool()
              break
            }
            case 4: {
              obj.update = reader.bytes()
              break
            }
            case 5: {
              obj.cut = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.document`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.number`,
                value: reader.uint64Number()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.last`,
                value: reader.bool()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.update`,
                value: reader.bytes()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.cut`,
                value: reader.bool()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface StatePieceDocumentFieldEvent {
    field: '$.document'
    value: string
  }

  export interface StatePieceNumberFieldEvent {
    field: '$.number'
    value: number
  }

  export interface StatePieceLastFieldEvent {
    field: '$.last'
    value: boolean
  }

  export interface StatePieceUpdateFieldEvent {
    field: '$.update'
    value: Uint8Array
  }

  export interface StatePieceCutFieldEvent {
    field: '$.cut'
    value: boolean
  }

  export function encode (obj: Partial<StatePiece>): Uint8Array {
    return encodeMessage(obj, StatePiece.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StatePiece>): StatePiece {
    return decodeMessage(buf, StatePiece.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StatePiece>): Generator<StatePieceDocumentFieldEvent | StatePieceNumberFieldEvent | StatePieceLastFieldEvent | StatePieceUpdateFieldEvent | StatePieceCutFieldEvent> {
    return streamMessage(buf, StatePiece.codec(), opts)
  }
}

export interface StateGot {
  document: string
  number: number
}

export namespace StateGot {
  let _codec: Codec<StateGot>

  export const codec = (): Codec<StateGot> => {
    if (_codec == null) {
      _codec = message<StateGot>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.document != null && obj.document !== '')) {
          w.uint32(10)
          w.string(obj.document)
        }

        if ((obj.number != null && obj.number !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.number)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          document: '',
          number: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.document = reader.string()
              break
            }
            case 2: {
              obj.number = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.document`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.number`,
                value: reader.uint64Number()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface StateGotDocumentFieldEvent {
    field: '$.document'
    value: string
  }

  export interface StateGotNumberFieldEvent {
    field: '$.number'
    value: number
  }

  export function encode (obj: Partial<StateGot>): Uint8Array {
    return encodeMessage(obj, StateGot.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateGot>): StateGot {
    return decodeMessage(buf, StateGot.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateGot>): Generator<StateGotDocumentFieldEvent | StateGotNumberFieldEvent> {
    return streamMessage(buf, StateGot.codec(), opts)
  }
}

export interface StateHeld {
  document: string
  bytesMax: number
  bytes: number
  later: boolean
  vector: Uint8Array
  hash: Uint8Array
}

export namespace StateHeld {
  let _codec: Codec<StateHeld>

  export const codec = (): Codec<StateHeld> => {
    if (_codec == null) {
      _codec = message<StateHeld>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.document != null && obj.document !== '')) {
          w.uint32(10)
          w.string(obj.document)
        }

        if ((obj.bytesMax != null && obj.bytesMax !== 0)) {
          w.uint32(16)
          w.uint32(obj.bytesMax)
        }

        if ((obj.bytes != null && obj.bytes !== 0)) {
          w.uint32(24)
          w.uint32(obj.bytes)
        }

        if ((obj.later != null && obj.later !== false)) {
          w.uint32(32)
          w.bool(obj.later)
        }

        if ((obj.vector != null && obj.vector.byteLength > 0)) {
          w.uint32(42)
          w.bytes(obj.vector)
        }

        if ((obj.hash != null && obj.hash.byteLength > 0)) {
          w.uint32(50)
          w.bytes(obj.hash)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          document: '',
          bytesMax: 0,
          bytes: 0,
          later: false,
          vector: uint8ArrayAlloc(0),
          hash: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.document = reader.string()
              break
            }
            case 2: {
              obj.bytesMax = reader.uint32()
              break
            }
            case 3: {
              obj.bytes = reader.uint32()
              break
            }
            case 4: {
              obj.later = reader.bool()
              break
            }
            case 5: {
              obj.vector = reader.bytes()
              break
            }
            case 6: {
              obj.hash = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.document`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.bytesMax`,
                value: reader.uint32()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.bytes`,
                value: reader.uint32()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.later`,
                value: reader.bool()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.vector`,
                value: reader.bytes()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.hash`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface StateHeldDocumentFieldEvent {
    field: '$.document'
    value: string
  }

  export interface StateHeldBytesMaxFieldEvent {
    field: '$.bytesMax'
    value: number
  }

  export interface StateHeldBytesFieldEvent {
    field: '$.bytes'
    value: number
  }

  export interface StateHeldLaterFieldEvent {
    field: '$.later'
    value: boolean
  }

  export interface StateHeldVectorFieldEvent {
    field: '$.vector'
    value: Uint8Array
  }

  export interface StateHeldHashFieldEvent {
    field: '$.hash'
    value: Uint8Array
  }

  export function encode (obj: Partial<StateHeld>): Uint8Array {
    return encodeMessage(obj, StateHeld.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateHeld>): StateHeld {
    return decodeMessage(buf, StateHeld.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<StateHeld>): Generator<StateHeldDocumentFieldEvent | StateHeldBytesMaxFieldEvent | StateHeldBytesFieldEvent | StateHeldLaterFieldEvent | StateHeldVectorFieldEvent | StateHeldHashFieldEvent> {
    return streamMessage(buf, StateHeld.codec(), opts)
  }
}

export interface Saved {
  epoch: string
  sequence: number
  checkpoint: string
  past: string[]
}

export namespace Saved {
  let _codec: Codec<Saved>

  export const codec = (): Codec<Saved> => {
    if (_codec == null) {
      _codec = message<Saved>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.epoch != null && obj.epoch !== '')) {
          w.uint32(10)
          w.string(obj.epoch)
        }

        if ((obj.sequence != null && obj.sequence !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.sequence)
        }

        if ((obj.checkpoint != null && obj.checkpoint !== '')) {
          w.uint32(26)
          w.string(obj.checkpoint)
        }

        if (obj.past != null && obj.past.length > 0) {
          for (const value of obj.past) {
            w.uint32(34)
            w.string(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          epoch: '',
          sequence: 0,
          checkpoint: '',
          past: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.epoch = reader.string()
              break
            }
            case 2: {
              obj.sequence = reader.uint64Number()
              break
            }
            case 3: {
              obj.checkpoint = reader.string()
              break
            }
            case 4: {
              if (opts.limits?.past != null && obj.past.length === opts.limits.past) {
                throw new MaxLengthError('Decode error - repeated field "past" had too many elements')
              }

              if (obj.past.length === 16) {
                throw new MaxLengthError('Decode error - repeated field "past" had too many elements')
              }

              obj.past.push(reader.string())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          past: 16
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.epoch`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.sequence`,
                value: reader.uint64Number()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.checkpoint`,
                value: reader.string()
              }
              break
            }
            case 4: {
              if (opts.limits?.past != null && obj.past === opts.limits.past) {
                throw new MaxLengthError('Streaming decode error - repeated field "past" had too many elements')
              }

              if (obj.past === 16) {
                throw new MaxLengthError('Streaming decode error - repeated field "past" had too many elements')
              }

              yield {
                field: `${prefix}.past[]`,
                index: obj.past,
                value: reader.string()
              }

              obj.past++

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface SavedEpochFieldEvent {
    field: '$.epoch'
    value: string
  }

  export interface SavedSequenceFieldEvent {
    field: '$.sequence'
    value: number
  }

  export interface SavedCheckpointFieldEvent {
    field: '$.checkpoint'
    value: string
  }

  export interface SavedPastFieldEvent {
    field: '$.past[]'
    index: number
    value: string
  }

  export function encode (obj: Partial<Saved>): Uint8Array {
    return encodeMessage(obj, Saved.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Saved>): Saved {
    return decodeMessage(buf, Saved.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Saved>): Generator<SavedEpochFieldEvent | SavedSequenceFieldEvent | SavedCheckpointFieldEvent | SavedPastFieldEvent> {
    return streamMessage(buf, Saved.codec(), opts)
  }
}

export interface Checkpoint {
  task: string
  slot: number
  saved?: Saved
}

export namespace Checkpoint {
  let _codec: Codec<Checkpoint>

  export const codec = (): Codec<Checkpoint> => {
    if (_codec == null) {
      _codec = message<Checkpoint>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.task != null && obj.task !== '')) {
          w.uint32(10)
          w.string(obj.task)
        }

        if ((obj.slot != null && obj.slot !== 0)) {
          w.uint32(16)
          w.uint32(obj.slot)
        }

        if (obj.saved != null) {
          w.uint32(26)
          Saved.codec().encode(obj.saved, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          task: '',
          slot: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.task = reader.string()
              break
            }
            case 2: {
              obj.slot = reader.uint32()
              break
            }
            case 3: {
              obj.saved = Saved.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.saved
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.task`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.slot`,
                value: reader.uint32()
              }
              break
            }
            case 3: {
              yield * Saved.codec().stream(reader, reader.uint32(), `${prefix}.saved`, {
                limits: opts.limits?.saved
              })

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface CheckpointTaskFieldEvent {
    field: '$.task'
    value: string
  }

  export interface CheckpointSlotFieldEvent {
    field: '$.slot'
    value: number
  }

  export interface CheckpointSavedEpochFieldEvent {
    field: '$.saved.epoch'
    value: string
  }

  export interface CheckpointSavedSequenceFieldEvent {
    field: '$.saved.sequence'
    value: number
  }

  export interface CheckpointSavedCheckpointFieldEvent {
    field: '$.saved.checkpoint'
    value: string
  }

  export interface CheckpointSavedPastFieldEvent {
    field: '$.saved.past[]'
    index: number
    value: string
  }

  export function encode (obj: Partial<Checkpoint>): Uint8Array {
    return encodeMessage(obj, Checkpoint.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Checkpoint>): Checkpoint {
    return decodeMessage(buf, Checkpoint.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Checkpoint>): Generator<CheckpointTaskFieldEvent | CheckpointSlotFieldEvent | CheckpointSavedEpochFieldEvent | CheckpointSavedSequenceFieldEvent | CheckpointSavedCheckpointFieldEvent | CheckpointSavedPastFieldEvent> {
    return streamMessage(buf, Checkpoint.codec(), opts)
  }
}

export interface Handover {
  task: string
  slot: number
  epoch: string
  cause: string
  covered?: number
  saved?: Saved
}

export namespace Handover {
  let _codec: Codec<Handover>

  export const codec = (): Codec<Handover> => {
    if (_codec == null) {
      _codec = message<Handover>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.task != null && obj.task !== '')) {
          w.uint32(10)
          w.string(obj.task)
        }

        if ((obj.slot != null && obj.slot !== 0)) {
          w.uint32(16)
          w.uint32(obj.slot)
        }

        if ((obj.epoch != null && obj.epoch !== '')) {
          w.uint32(26)
          w.string(obj.epoch)
        }

        if ((obj.cause != null && obj.cause !== '')) {
          w.uint32(34)
          w.string(obj.cause)
        }

        if (obj.covered != null) {
          w.uint32(40)
          w.uint64Number(obj.covered)
        }

        if (obj.saved != null) {
          w.uint32(50)
          Saved.codec().encode(obj.saved, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          task: '',
          slot: 0,
          epoch: '',
          cause: ''
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.task = reader.string()
              break
            }
            case 2: {
              obj.slot = reader.uint32()
              break
            }
            case 3: {
              obj.epoch = reader.string()
              break
            }
            case 4: {
              obj.cause = reader.string()
              break
            }
            case 5: {
              obj.covered = reader.uint64Number()
              break
            }
            case 6: {
              obj.saved = Saved.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.saved
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.task`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.slot`,
                value: reader.uint32()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.epoch`,
                value: reader.string()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.cause`,
                value: reader.string()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.covered`,
                value: reader.uint64Number()
              }
              break
            }
            case 6: {
              yield * Saved.codec().stream(reader, reader.uint32(), `${prefix}.saved`, {
                limits: opts.limits?.saved
              })

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface HandoverTaskFieldEvent {
    field: '$.task'
    value: string
  }

  export interface HandoverSlotFieldEvent {
    field: '$.slot'
    value: number
  }

  export interface HandoverEpochFieldEvent {
    field: '$.epoch'
    value: string
  }

  export interface HandoverCauseFieldEvent {
    field: '$.cause'
    value: string
  }

  export interface HandoverCoveredFieldEvent {
    field: '$.covered'
    value: number
  }

  export interface HandoverSavedEpochFieldEvent {
    field: '$.saved.epoch'
    value: string
  }

  export interface HandoverSavedSequenceFieldEvent {
    field: '$.saved.sequence'
    value: number
  }

  export interface HandoverSavedCheckpointFieldEvent {
    field: '$.saved.checkpoint'
    value: string
  }

  export interface HandoverSavedPastFieldEvent {
    field: '$.saved.past[]'
    index: number
    value: string
  }

  export function encode (obj: Partial<Handover>): Uint8Array {
    return encodeMessage(obj, Handover.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Handover>): Handover {
    return decodeMessage(buf, Handover.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Handover>): Generator<HandoverTaskFieldEvent | HandoverSlotFieldEvent | HandoverEpochFieldEvent | HandoverCauseFieldEvent | HandoverCoveredFieldEvent | HandoverSavedEpochFieldEvent | HandoverSavedSequenceFieldEvent | HandoverSavedCheckpointFieldEvent | HandoverSavedPastFieldEvent> {
    return streamMessage(buf, Handover.codec(), opts)
  }
}

export interface LastWord {
  task: string
  slot: number
  epoch: string
  saved?: Saved
}

export namespace LastWord {
  let _codec: Codec<LastWord>

  export const codec = (): Codec<LastWord> => {
    if (_codec == null) {
      _codec = message<LastWord>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.task != null && obj.task !== '')) {
          w.uint32(10)
          w.string(obj.task)
        }

        if ((obj.slot != null && obj.slot !== 0)) {
          w.uint32(16)
          w.uint32(obj.slot)
        }

        if ((obj.epoch != null && obj.epoch !== '')) {
          w.uint32(26)
          w.string(obj.epoch)
        }

        if (obj.saved != null) {
          w.uint32(34)
          Saved.codec().encode(obj.saved, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          task: '',
          slot: 0,
          epoch: ''
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.task = reader.string()
              break
            }
            case 2: {
              obj.slot = reader.uint32()
              break
            }
            case 3: {
              obj.epoch = reader.string()
              break
            }
            case 4: {
              obj.saved = Saved.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.saved
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.task`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.slot`,
                value: reader.uint32()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.epoch`,
                value: reader.string()
              }
              break
            }
            case 4: {
              yield * Saved.codec().stream(reader, reader.uint32(), `${prefix}.saved`, {
                limits: opts.limits?.saved
              })

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface LastWordTaskFieldEvent {
    field: '$.task'
    value: string
  }

  export interface LastWordSlotFieldEvent {
    field: '$.slot'
    value: number
  }

  export interface LastWordEpochFieldEvent {
    field: '$.epoch'
    value: string
  }

  export interface LastWordSavedEpochFieldEvent {
    field: '$.saved.epoch'
    value: string
  }

  export interface LastWordSavedSequenceFieldEvent {
    field: '$.saved.sequence'
    value: number
  }

  export interface LastWordSavedCheckpointFieldEvent {
    field: '$.saved.checkpoint'
    value: string
  }

  export interface LastWordSavedPastFieldEvent {
    field: '$.saved.past[]'
    index: number
    value: string
  }

  export function encode (obj: Partial<LastWord>): Uint8Array {
    return encodeMessage(obj, LastWord.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<LastWord>): LastWord {
    return decodeMessage(buf, LastWord.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<LastWord>): Generator<LastWordTaskFieldEvent | LastWordSlotFieldEvent | LastWordEpochFieldEvent | LastWordSavedEpochFieldEvent | LastWordSavedSequenceFieldEvent | LastWordSavedCheckpointFieldEvent | LastWordSavedPastFieldEvent> {
    return streamMessage(buf, LastWord.codec(), opts)
  }
}

export interface Results {
  tasks: string[]
}

export namespace Results {
  let _codec: Codec<Results>

  export const codec = (): Codec<Results> => {
    if (_codec == null) {
      _codec = message<Results>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.tasks != null && obj.tasks.length > 0) {
          for (const value of obj.tasks) {
            w.uint32(10)
            w.string(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          tasks: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.tasks != null && obj.tasks.length === opts.limits.tasks) {
                throw new MaxLengthError('Decode error - repeated field "tasks" had too many elements')
              }

              if (obj.tasks.length === 4096) {
                throw new MaxLengthError('Decode error - repeated field "tasks" had too many elements')
              }

              obj.tasks.push(reader.string())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          tasks: 4096
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.tasks != null && obj.tasks === opts.limits.tasks) {
                throw new MaxLengthError('Streaming decode error - repeated field "tasks" had too many elements')
              }

              if (obj.tasks === 4096) {
                throw new MaxLengthError('Streaming decode error - repeated field "tasks" had too many elements')
              }

              yield {
                field: `${prefix}.tasks[]`,
                index: obj.tasks,
                value: reader.string()
              }

              obj.tasks++

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface ResultsTasksFieldEvent {
    field: '$.tasks[]'
    index: number
    value: string
  }

  export function encode (obj: Partial<Results>): Uint8Array {
    return encodeMessage(obj, Results.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Results>): Results {
    return decodeMessage(buf, Results.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Results>): Generator<ResultsTasksFieldEvent> {
    return streamMessage(buf, Results.codec(), opts)
  }
}

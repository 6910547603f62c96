/// One instruction of classic BPF: `struct bpf_insn`.
public struct BPFInstruction: Hashable, Sendable {
  public var code: UInt16
  /// How many instructions to skip when the test holds, and when it does not.
  public var jumpTrue: UInt8
  public var jumpFalse: UInt8
  public var operand: UInt32
}

/// Writes a classic BPF program with names for the places that jumps go to; jumps go forward only, as the machine has it.
///
/// A is the accumulator and X the index register ([McCanne and Jacobson, 1993](https://www.tcpdump.org/papers/bpf-usenix93.pdf)).
struct BPFAssembler {
  enum Label { case oneTag, twoTags, internet, ipv4, ipv4Length, ipv6, ipv6Length, ports, client, datagram, loopback, stub, other, whole, drop }
  enum Test: UInt16 {
    case equal = 0x15
    case greater = 0x25
    case greaterOrEqual = 0x35
    case anyBit = 0x45
  }

  private struct Line {
    var instruction: BPFInstruction
    var then: Label?
    var otherwise: Label?
  }
  private var lines: [Line] = []
  private var places: [Label: Int] = [:]

  private mutating func emit(_ code: UInt16, _ operand: UInt32 = 0, then: Label? = nil, else otherwise: Label? = nil) {
    let instruction = BPFInstruction(code: code, jumpTrue: 0, jumpFalse: 0, operand: operand)
    lines.append(Line(instruction: instruction, then: then, otherwise: otherwise))
  }

  mutating func define(_ label: Label) { places[label] = lines.count }

  mutating func loadLength() { emit(0x80) }
  mutating func loadWord(_ offset: UInt32) { emit(0x20, offset) }
  mutating func loadByte(_ offset: UInt32) { emit(0x30, offset) }
  mutating func loadHalf(_ offset: UInt32) { emit(0x28, offset) }
  mutating func loadByteIndirect(_ offset: UInt32) { emit(0x50, offset) }
  mutating func loadHalfIndirect(_ offset: UInt32) { emit(0x48, offset) }
  mutating func loadIndexImmediate(_ value: UInt32) { emit(0x01, value) }
  /// One of the machine's 16 places for a number.
  mutating func store(in place: UInt32) { emit(0x02, place) }
  mutating func load(from place: UInt32) { emit(0x60, place) }
  mutating func add(_ value: UInt32) { emit(0x04, value) }
  mutating func addIndex() { emit(0x0c) }
  mutating func and(_ value: UInt32) { emit(0x54, value) }
  mutating func shiftLeft(_ bits: UInt32) { emit(0x64, bits) }
  mutating func shiftRight(_ bits: UInt32) { emit(0x74, bits) }
  mutating func moveToIndex() { emit(0x07) }
  mutating func moveFromIndex() { emit(0x87) }

  /// Compares A with `value`; goes on with the next instruction where no label is given.
  mutating func jump(_ test: Test, _ value: UInt32, then: Label? = nil, else otherwise: Label? = nil) {
    emit(test.rawValue, value, then: then, else: otherwise)
  }
  mutating func jump(to label: Label) { emit(0x05, then: label) }

  /// Ends the program: keep so many octets, 0 is none.
  mutating func keep(_ octets: UInt32) { emit(0x06, octets) }

  /// The program; nil when a label is not defined, lies behind its jump or more than 255 instructions away.
  func assemble() -> [BPFInstruction]? {
    var program: [BPFInstruction] = []
    for (index, line) in lines.enumerated() {
      func distance(_ label: Label?) -> Int? {
        guard let label else { return 0 }
        guard let place = places[label], place > index, place < lines.count else { return nil }
        return place - index - 1
      }
      guard let then = distance(line.then), let otherwise = distance(line.otherwise) else { return nil }
      var instruction = line.instruction
      if instruction.code == 0x05 {
        instruction.operand = UInt32(then)
      } else {
        guard let near = UInt8(exactly: then), let far = UInt8(exactly: otherwise) else { return nil }
        (instruction.jumpTrue, instruction.jumpFalse) = (near, far)
      }
      program.append(instruction)
    }
    return program
  }
}

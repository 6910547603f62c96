// swift-tools-version: 6.2
import PackageDescription

#if canImport(Glibc)
  import Glibc
#endif

// Which module may import which is the architecture (see ARCHITECTURE.md). SwiftPM checks the arrows only when it is
// asked to, so every script builds with `--explicit-target-dependency-import-check error`.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// A release is linked so that less of it is resident: it exports no symbols (Swift's static runtime asks for all of them), which lets more of what nobody
// calls be left out, and its relocations are packed, which loaders can read since glibc 2.36.
var releaseLinking = ["-use-ld=lld", "-Xlinker", "--no-export-dynamic"]
#if canImport(Glibc)
  // `glibc 2.36`
  var version = [CChar](repeating: 0, count: 64)
  confstr(Int32(_CS_GNU_LIBC_VERSION), &version, version.count)
  let glibc = String(decoding: version.lazy.map(UInt8.init(bitPattern:)).prefix { $0 != 0 }, as: UTF8.self).split { !$0.isNumber }.compactMap { Int($0) }
  if !glibc.lexicographicallyPrecedes([2, 36]) { releaseLinking += ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"] }
#endif

let package = Package(
  name: "egress-obs",
  products: [.executable(name: "egress-obs", targets: ["egress-obs"])],
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    // Values everyone speaks; imports nothing, not even Foundation.
    .target(name: "EgressModel", swiftSettings: strict),

    // The pure core: no file descriptor, no clock, no await.
    .target(
      name: "Wire",
      dependencies: [
        "EgressModel", .product(name: "Crypto", package: "swift-crypto"), .product(name: "CryptoExtras", package: "swift-crypto"),
      ], swiftSettings: strict),
    .target(
      name: "Flows", dependencies: ["EgressModel", "Wire"], resources: [.embedInCode("Names/resolvers.tsv")], swiftSettings: strict),
    .target(name: "Policy", dependencies: ["EgressModel", .product(name: "Yams", package: "Yams")], swiftSettings: strict),
    .target(
      name: "Drift", dependencies: ["EgressModel", "Policy", "CPSL"], resources: [.embedInCode("Vendors/vendors.tsv")], swiftSettings: strict),
    .target(name: "Reporting", dependencies: ["EgressModel", "Policy", "Drift"], swiftSettings: strict),

    // Input and output.
    .target(name: "Capture", dependencies: ["EgressModel", "CPcap"], swiftSettings: strict),
    .target(name: "Storage", dependencies: ["EgressModel", "CSQLite"], swiftSettings: strict),
    .target(name: "Host", dependencies: ["EgressModel", "Wire", "CMalloc"], swiftSettings: strict),
    .target(
      name: "Kubernetes",
      dependencies: [
        "EgressModel", .product(name: "AsyncHTTPClient", package: "async-http-client"), .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Subprocess", package: "swift-subprocess"), .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Yams", package: "Yams"),
      ], swiftSettings: strict),
    .executableTarget(
      name: "egress-obs",
      dependencies: [
        "EgressModel", "Wire", "Flows", "Policy", "Drift", "Reporting", "Capture", "Storage", "Host", "Kubernetes",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict, linkerSettings: [.unsafeFlags(releaseLinking, .when(configuration: .release))]),

    // Makes captures and measures the parts; scripts/bench runs it.
    .executableTarget(
      name: "bench",
      dependencies: [
        "EgressModel", "Wire", "Flows", "Policy", "Capture",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ],
      path: "Benchmarks/Sources", swiftSettings: strict),

    // System C libraries.
    .systemLibrary(name: "CPcap", path: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
    .systemLibrary(name: "CSQLite", path: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CMalloc", path: "CMalloc"),
    .systemLibrary(name: "CPSL", path: "CPSL", pkgConfig: "libpsl", providers: [.apt(["libpsl-dev"])]),

    .testTarget(name: "EgressModelTests", dependencies: ["EgressModel"], swiftSettings: strict),
    .testTarget(
      name: "WireTests",
      dependencies: [
        "EgressModel", "Wire", .product(name: "Crypto", package: "swift-crypto"), .product(name: "CryptoExtras", package: "swift-crypto"),
      ], swiftSettings: strict),
    .testTarget(name: "FlowsTests", dependencies: ["EgressModel", "Flows", "Wire"], swiftSettings: strict),
    .testTarget(name: "CaptureTests", dependencies: ["EgressModel", "Capture", "CPcap", "TestNetworks"], swiftSettings: strict),
    .testTarget(name: "StorageTests", dependencies: ["EgressModel", "Storage"], swiftSettings: strict),
    .testTarget(name: "PolicyTests", dependencies: ["EgressModel", "Policy"], swiftSettings: strict),
    .testTarget(name: "DriftTests", dependencies: ["EgressModel", "Drift", "Policy"], swiftSettings: strict),
    .testTarget(name: "ReportingTests", dependencies: ["EgressModel", "Reporting", "Policy", "Drift"], swiftSettings: strict),
    .testTarget(name: "BenchTests", dependencies: ["bench", "Capture"], swiftSettings: strict),
    .testTarget(name: "EgressObsTests", dependencies: ["egress-obs", "TestNetworks"], swiftSettings: strict),
    .testTarget(
      name: "KubernetesTests",
      dependencies: [
        "EgressModel", "Kubernetes", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ], swiftSettings: strict),
    .testTarget(name: "HostTests", dependencies: ["EgressModel", "Host", "TestNetworks"], swiftSettings: strict),
    // Network namespaces and veth pairs for tests that need real interfaces.
    .target(name: "TestNetworks", path: "Tests/TestNetworks", swiftSettings: strict),
  ]
)

// A fuzzer links only with libFuzzer, which scripts/fuzz asks the compiler for.
if Context.environment["EGRESS_OBS_FUZZING"] != nil {
  package.targets += [
    .systemLibrary(name: "CLibFuzzer", path: "Fuzzing/CLibFuzzer"),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "EgressModel", "Wire", "Flows", "Capture", "CLibFuzzer", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ],
      path: "Fuzzing/Sources", swiftSettings: strict),
  ]
}

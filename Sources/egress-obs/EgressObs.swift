@main struct EgressObs {
  static func main() {}
}

namespace Cincopa.Client;
/// <summary>The remote ticket of one attempt: opaque text (3P S11 S12).</summary>
public readonly record struct StatusId(string Value) { public override string ToString() => Value; }

namespace Cincopa.Client;

/// <summary>The remote ticket of one attempt: opaque text (3P S11 S12).</summary>
public readonly record struct StatusId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>The remote asset's id: short alphanumeric text, also called <c>resid</c> and <c>drid</c> (OWN S7 S8 S9).</summary>
public readonly record struct Rid(string Value)
{
    public override string ToString() => Value;
}

/// <summary>The remote gallery's id: opaque text (OWN S7).</summary>
public readonly record struct Fid(string Value)
{
    public override string ToString() => Value;
}

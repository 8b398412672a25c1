namespace BulkImporter.Data;

/// <summary>
/// What the caller asked for cannot be meant: the message tells a person what is wrong with the argument and what would be right.
/// </summary>
public sealed class InvalidArgumentException(string argument, string message) : Exception(message)
{
    /// <summary>The name of the argument as the caller knows it: a JSON member, a query argument, an option without its dashes.</summary>
    public string Argument { get; } = argument;
}

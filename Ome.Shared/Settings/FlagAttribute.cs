using System.Runtime.CompilerServices;

namespace Ome.Shared.Settings;

/// <summary>
/// Makes an options property a command-line flag <c>--name</c> and an environment variable. The property's initial value is the default; ranges come
/// from <c>[Range]</c>, <c>[DurationRange]</c>, <c>[Required]</c> and <c>[AllowedValues]</c>. The configuration page is generated from it.
/// </summary>
/// <param name="name">The flag without its dashes.</param>
/// <param name="description">What it does, with the unit; one sentence without a full stop.</param>
/// <param name="line">Where it is declared, given by the compiler: settings are shown in that order, and a program compiled ahead of time has no other trace of it.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FlagAttribute(string name, string description, [CallerLineNumber] int line = 0) : Attribute
{
    public string Name { get; } = name;

    public string Description { get; } = description;

    public int Line { get; } = line;

    /// <summary>The environment variable; null for none. The flag wins over it.</summary>
    public string? Environment { get; init; }

    /// <summary>The value is a count of bytes: <c>64MiB</c> is understood.</summary>
    public bool IsBytes { get; init; }

    /// <summary>The value must not be shown: in logs, help and errors.</summary>
    public bool IsSecret { get; init; }

    /// <summary>The heading it stands under in help and docs.</summary>
    public string Group { get; init; } = "General";
}

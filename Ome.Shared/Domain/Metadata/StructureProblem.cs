using System.Diagnostics.CodeAnalysis;

namespace Ome.Shared.Domain.Metadata;

/// <summary>What a parser says of a file it did not accept.</summary>
public enum StructureProblemKind
{
    /// <summary>The file breaks a rule of its format: no reader of that format can load it.</summary>
    Broken,

    /// <summary>Within the rules as far as seen, but beyond what we look at: too large, too old, an unknown variant. Says nothing of its health.</summary>
    NotExamined,
}

/// <summary>Why a parser did not accept a file.</summary>
/// <param name="Kind">Whether it speaks against the file.</param>
/// <param name="Message">The rule and the values, for a human.</param>
/// <param name="Offset">Where in the file, when known.</param>
public sealed record StructureProblem(StructureProblemKind Kind, string Message, long? Offset = null)
{
    public static StructureProblem Broken(string message, long? offset = null) => new(StructureProblemKind.Broken, message, offset);

    public static StructureProblem NotExamined(string message) => new(StructureProblemKind.NotExamined, message);
}

/// <summary>A parsed value, or the problem that kept it from being one; never both.</summary>
public readonly record struct Parsed<T>
    where T : class
{
    private Parsed(T? value, StructureProblem? problem)
    {
        Value = value;
        Problem = problem;
    }

    public T? Value { get; }

    public StructureProblem? Problem { get; }

    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Problem))]
    public bool IsParsed => Value is not null;

    public static implicit operator Parsed<T>(T value) => new(value, null);

    public static implicit operator Parsed<T>(StructureProblem problem) => new(null, problem);
}

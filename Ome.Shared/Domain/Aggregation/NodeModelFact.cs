using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>The least of an entry that an aggregate depends on. Two entries with equal facts give equal aggregates: a progress tick changes none.</summary>
public sealed record NodeModelFact
{
    private const int MaxMessage = 256;

    /// <summary>State the node claims.</summary>
    public NodeModelState State { get; private init; }

    /// <summary>Why the entry cannot be read; null when it can.</summary>
    public string? Unreadable { get; private init; }

    /// <summary>Name the entry gives the model; empty when it gives none.</summary>
    public string Name { get; private init; } = string.Empty;

    /// <summary>Source the files came from, or null.</summary>
    public string? StorageUri { get; private init; }

    /// <summary>Directory of the files, or null.</summary>
    public string? StoragePath { get; private init; }

    /// <summary>Result of the newest check, one of <see cref="ValidationResults"/>, or null.</summary>
    public string? Result { get; private init; }

    /// <summary>Reason of a result other than Valid.</summary>
    public string? Reason { get; private init; }

    /// <summary>Message of a result other than Valid: one line, bounded.</summary>
    public string? Message { get; private init; }

    /// <summary>End of the newest check, for results other than Valid: when the damage was first reported, as far as the node says.</summary>
    public DateTimeOffset? Since { get; private init; }

    /// <summary>When the byte that waited longest was last proven.</summary>
    public DateTimeOffset? OldestProof { get; private init; }

    /// <summary>What the files say of the model.</summary>
    public SpecFacts? Facts { get; init; }

    /// <summary>The facts of one item of a report.</summary>
    public static NodeModelFact Of(NodeReportItem item)
    {
        if (item.Entry is not { } entry) return new NodeModelFact { Unreadable = OneLine(item.Error ?? "no text") };
        var validation = entry.Validation;
        // Details and times of a Valid result change with every check and decide nothing.
        var notValid = validation?.Result is not (null or ValidationResults.Valid);
        return new NodeModelFact
        {
            State = entry.State,
            Name = entry.Name,
            StorageUri = entry.StorageUri,
            StoragePath = entry.StoragePath,
            Result = validation?.Result,
            Reason = notValid ? OneLine(validation!.Reason) : null,
            Message = notValid ? OneLine(validation!.Message) : null,
            Since = notValid ? validation!.LastCheckedTime : null,
            OldestProof = validation?.OldestProofTime,
            Facts = SpecFacts.Of(entry.Config),
        };
    }

    /// <summary>Whether the entry can be about this model: two models may share a shortened or colliding key (contract W25), the name tells them apart.</summary>
    public bool IsAbout(ModelKey model) => Name.Length == 0 || Name == model.Name;

    /// <summary>The same fact, with texts that equal the given ones replaced by them: the given ones are then shared by many facts.</summary>
    internal NodeModelFact Sharing(ref string? name, ref string? uri, ref string? path, SpecFacts? facts)
    {
        name = name == Name ? name : Name;
        uri = uri == StorageUri ? uri : StorageUri;
        path = path == StoragePath ? path : StoragePath;
        return this with { Name = name ?? string.Empty, StorageUri = uri, StoragePath = path, Facts = facts, Result = Interned(Result) };
    }

    private static string? Interned(string? result) => result switch
    {
        ValidationResults.Valid => ValidationResults.Valid,
        ValidationResults.Invalid => ValidationResults.Invalid,
        ValidationResults.Inconclusive => ValidationResults.Inconclusive,
        ValidationResults.Pending => ValidationResults.Pending,
        _ => result,
    };

    private static string? OneLine(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var line = text.Length <= MaxMessage ? text : string.Concat(text.AsSpan(0, MaxMessage), "...");
        return line.Any(char.IsControl) ? string.Concat(line.Select(static c => char.IsControl(c) ? ' ' : c)) : line;
    }
}

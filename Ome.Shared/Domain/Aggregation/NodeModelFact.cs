using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>
/// What an aggregate depends on of an entry, without its oldest proof: what thousands of nodes say alike of one model, and so is kept once. A progress
/// tick changes none of it.
/// </summary>
public sealed record NodeModelFact
{
    private const int MaxMessage = 256;

    // What an agent says of a spec that only its author can mend.
    private static readonly string[] Refusals = ["InvalidSpec", "PathRefused", "Refused"];

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

    /// <summary>What the files say of the model.</summary>
    public SpecFacts? Facts { get; private init; }

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
            Facts = SpecFacts.Of(entry.Config),
        };
    }

    /// <summary>Whether the entry can be about this model: two models may share a shortened or colliding key (contract W25), the name tells them apart.</summary>
    public bool IsAbout(ModelKey model) => Name.Length == 0 || Name == model.Name;

    /// <summary>The node cannot carry out the spec.</summary>
    internal bool IsRefusal => Result == ValidationResults.Inconclusive && Refusals.Contains(Reason, StringComparer.Ordinal);

    /// <summary>Whether many nodes may be expected to say the very same.</summary>
    internal bool IsCommon => Unreadable is null && Since is null && Message is null;

    /// <summary>The same fact, with the texts of another where they are equal: they are then kept once.</summary>
    internal NodeModelFact Sharing(NodeModelFact other) => this with
    {
        Name = Name == other.Name ? other.Name : Name,
        StorageUri = StorageUri == other.StorageUri ? other.StorageUri : StorageUri,
        StoragePath = StoragePath == other.StoragePath ? other.StoragePath : StoragePath,
        Result = Result == other.Result ? other.Result : Result,
        Reason = Reason == other.Reason ? other.Reason : Reason,
        Facts = Facts == other.Facts ? other.Facts : Facts,
    };

    private static string? OneLine(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var line = text.Length <= MaxMessage ? text : string.Concat(text.AsSpan(0, MaxMessage), "...");
        return line.Any(char.IsControl) ? string.Concat(line.Select(static c => char.IsControl(c) ? ' ' : c)) : line;
    }
}

/// <summary>What one node says of one model.</summary>
/// <param name="Node">Node name.</param>
/// <param name="Fact">What it says, without its oldest proof.</param>
/// <param name="Proof">When the byte that waited longest was last proven; <see cref="NoProof"/> when the node does not say.</param>
internal readonly record struct HeldFact(string Node, NodeModelFact Fact, long Proof)
{
    /// <summary>Later than any proof.</summary>
    public const long NoProof = long.MaxValue;

    /// <summary>The proof an entry states, in ticks of UTC: a number costs a third of the memory of a time that may be missing.</summary>
    public static long ProofOf(NodeReportItem item) => item.Entry?.Validation?.OldestProofTime?.UtcTicks ?? NoProof;
}

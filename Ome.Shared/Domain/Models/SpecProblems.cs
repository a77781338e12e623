using Ome.Shared.Domain.Verification;

namespace Ome.Shared.Domain.Models;

/// <summary>Something an author wrote that cannot be used as it stands.</summary>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Message">Names the field, its value and the remedy.</param>
public sealed record SpecProblem(string Reason, string Message);

/// <summary>
/// What is wrong with a model whichever node looks at it: its source, its directory, its annotations. What depends on a node, as its models root does,
/// only the node can say.
/// </summary>
public static class SpecProblems
{
    public const string InvalidStorageUri = "InvalidStorageUri";
    public const string InvalidStoragePath = "InvalidStoragePath";
    public const string InvalidAnnotation = "InvalidAnnotation";

    private const string Instead = "the agents' default is used";

    // An agent may have any defaults in range: a model's interval must be at odds with its own bound, or with every bound, to be a problem here.
    private static readonly VerificationPolicy AnyDefaults = new() { Interval = VerificationPolicy.MinInterval, DeepMaxAge = VerificationPolicy.MaxDeepMaxAge };

    /// <summary>All problems, those of the source first; empty when there is none.</summary>
    public static IReadOnlyList<SpecProblem> Of(ModelSpec spec)
    {
        var problems = new List<SpecProblem>();
        if (!StorageUri.TryParse(spec.StorageUri, out var uri, out var refusal)) problems.Add(new(InvalidStorageUri, $"spec.storage.{refusal}"));
        else if (DestinationRule.ProblemAnywhere(uri, spec.StoragePath) is { } problem) problems.Add(new(InvalidStoragePath, problem));
        problems.AddRange(PolicyReader.Read(AnyDefaults, spec.Integrity, Instead).Problems.Select(static text => new SpecProblem(InvalidAnnotation, text)));
        if (spec.BadStagingPriority is { } priority)
        {
            problems.Add(new(
                InvalidAnnotation,
                $"{PolicyReader.Named(OmeNames.StagingPriorityAnnotation, priority)}: it must be a whole number from {-StagingOrder.MostPriority} to {StagingOrder.MostPriority}; {spec.StagingPriority} is used"));
        }

        return problems;
    }
}

using System.Collections.Concurrent;
using Ome.Agent.Hosting;
using Ome.Agent.Publishing;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Models;

/// <summary>What the author of a model is told of its annotations: once for each wording, in the same words from every node with the same defaults.</summary>
public sealed class AnnotationAdvice(AgentOptions options)
{
    /// <summary>Reason of the Event.</summary>
    public const string Reason = "InvalidAnnotation";

    private readonly ConcurrentDictionary<ModelKey, (string Uid, string Text)> _told = new();

    /// <summary>What is new to say of a model; null when its annotations are right, or it was said.</summary>
    public PublishedEvent? News(ModelSpec spec)
    {
        var problems = PolicyReader.Read(options.Policy, spec.Integrity).Problems;
        if (spec.BadStagingPriority is { } bad)
        {
            problems = problems.Add($"{PolicyReader.Named(OmeNames.StagingPriorityAnnotation, bad)}: it must be a whole number from {-StagingOrder.MostPriority} to {StagingOrder.MostPriority}; {spec.StagingPriority} is used");
        }

        if (problems.IsEmpty)
        {
            Forget(spec.Key);
            return null;
        }

        var news = (spec.Uid, Text: string.Join("; ", problems));
        if (_told.TryGetValue(spec.Key, out var told) && told == news) return null;
        _told[spec.Key] = news;
        return new PublishedEvent(Reason, news.Text, IsWarning: true) { IsShared = true };
    }

    public void Forget(ModelKey model) => _told.TryRemove(model, out _);
}

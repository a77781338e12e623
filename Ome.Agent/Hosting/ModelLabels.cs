using Ome.Shared.Domain.Models;
using Prometheus;

namespace Ome.Agent.Hosting;

/// <summary>The labels every instrument about a model has (contract 8.3, L).</summary>
internal static class ModelLabels
{
    public static readonly string[] Names = ["model_type", "namespace", "name"];

    public static string[] Of(ModelKey key) => [key.Kind.ToString(), key.Namespace, key.Name];

    /// <summary>Ends all series of a model, whatever further labels they have: models come and go for as long as the agent lives.</summary>
    public static void Forget<TChild>(ModelKey key, params IEnumerable<Collector<TChild>> collectors)
        where TChild : ChildBase
    {
        var model = Of(key);
        foreach (var collector in collectors)
        {
            foreach (var labels in collector.GetAllLabelValues().Where(labels => labels.AsSpan(0, model.Length).SequenceEqual(model)).ToList()) collector.RemoveLabelled(labels);
        }
    }
}

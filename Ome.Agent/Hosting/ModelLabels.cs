using Ome.Shared.Domain.Models;

namespace Ome.Agent.Hosting;

/// <summary>The labels every instrument about a model has (contract 8.3, L).</summary>
internal static class ModelLabels
{
    public static readonly string[] Names = ["model_type", "namespace", "name"];

    public static string[] Of(ModelKey key) => [key.Kind.ToString(), key.Namespace, key.Name];
}

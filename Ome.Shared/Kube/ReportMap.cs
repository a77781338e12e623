using System.Text.Json;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Shared.Kube;

/// <summary>A node ConfigMap as the fold wants it: the values stay the bytes they came as, because nearly all of them say nothing new.</summary>
[KubernetesEntity(Group = "", ApiVersion = "v1", Kind = "ConfigMap", PluralName = "configmaps")]
public sealed class ReportMap : IKubernetesObject<V1ObjectMeta>, IDisposable
{
    /// <inheritdoc/>
    [JsonPropertyName("apiVersion")]
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    [JsonPropertyName("kind")]
    public string? Kind { get; set; }

    /// <inheritdoc/>
    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>The entries; null when there are none.</summary>
    [JsonPropertyName("data")]
    [JsonConverter(typeof(DataReader))]
    public ReportData? Data { get; set; }

    /// <inheritdoc/>
    public void Dispose() => Data?.Dispose();

    internal sealed class DataReader : JsonConverter<ReportData>
    {
        public override ReportData Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReportData.Read(ref reader);

        public override void Write(Utf8JsonWriter writer, ReportData value, JsonSerializerOptions options) => throw new NotSupportedException("A report map is only read.");
    }
}

/// <summary>A Node of which only the name matters: its status, most of its 10 KB, is skipped.</summary>
[KubernetesEntity(Group = "", ApiVersion = "v1", Kind = "Node", PluralName = "nodes")]
public sealed class BareNode : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    [JsonPropertyName("apiVersion")]
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    [JsonPropertyName("kind")]
    public string? Kind { get; set; }

    /// <inheritdoc/>
    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();
}

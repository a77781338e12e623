using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using k8s;

namespace Ome.Shared.Kube;

/// <summary>
/// Reads Kubernetes JSON from bytes in hand, as <see cref="KubernetesJson"/> reads streams and texts. A stream is read in pieces, and a value larger than
/// a piece again from its start with every piece: a page of node reports took several times as long.
/// </summary>
internal static class KubernetesBytes
{
    private static readonly JsonSerializerOptions Options = ClientOptions();

    public static T? Read<T>(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T)));

    // The client hands its options out for changes only.
    private static JsonSerializerOptions ClientOptions()
    {
        ApiJson.Register();
        JsonSerializerOptions? found = null;
        KubernetesJson.AddJsonOptions(options => found = options);
        return found ?? throw new InvalidOperationException("KubernetesJson gave no options.");
    }
}

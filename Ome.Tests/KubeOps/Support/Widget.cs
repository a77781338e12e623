using k8s.Models;
using KubeOps.Abstractions.Entities;

namespace Ome.Tests.KubeOpsApi.Support;

/// <summary>A custom kind for tests of the operator framework.</summary>
[KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1", Kind = "Widget", PluralName = "widgets")]
public sealed class Widget : CustomKubernetesEntity<Widget.WidgetSpec, Widget.WidgetStatus>
{
    public const string Plural = "widgets";

    public Widget()
    {
        ApiVersion = "tests.ome.io/v1";
        Kind = "Widget";
    }

    public static Widget Named(string name, string @namespace, params (string Key, string Value)[] labels) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = @namespace,
            Labels = labels.Length == 0 ? null : labels.ToDictionary(label => label.Key, label => label.Value),
        },
    };

    public sealed class WidgetSpec
    {
        public int Size { get; set; }
    }

    public sealed class WidgetStatus
    {
        public string? Note { get; set; }
    }
}

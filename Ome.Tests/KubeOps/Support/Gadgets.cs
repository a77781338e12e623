using System.Text.Json.Serialization;
using k8s.Models;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Entities.Attributes;
using DescriptionAttribute = KubeOps.Abstractions.Entities.Attributes.DescriptionAttribute;
using IgnoreAttribute = KubeOps.Abstractions.Entities.Attributes.IgnoreAttribute;

namespace Ome.Tests.KubeOpsApi.Support;

/// <summary>A kind with everything the transpiler knows.</summary>
[KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1beta1", Kind = "Gadget", PluralName = "gadgets")]
[EntityScope(EntityScope.Cluster)]
[KubernetesEntityShortNames("gad", "gd")]
[Description("A gadget.")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[GenericAdditionalPrinterColumn(".spec.inner.depth", "Depth", "integer", Description = "How deep", Format = "int32", Priority = PrinterColumnPriority.WideView)]
[ValidationRule("self.spec.size >= 0", message: "size must not be negative")]
public sealed class Gadget : CustomKubernetesEntity<GadgetSpec, GadgetStatus>;

[Description("What is wanted.")]
public sealed class GadgetSpec
{
    [Required]
    [Description("How big.")]
    [RangeMinimum(0)]
    [RangeMaximum(100, true)]
    [MultipleOf(0.5)]
    [AdditionalPrinterColumn]
    public int Size { get; set; }

    public long Big { get; set; }

    public float Single { get; set; }

    public double Double { get; set; }

    public decimal Decimal { get; set; }

    public bool Flag { get; set; }

    public bool? MaybeFlag { get; set; }

    public string Text { get; set; } = string.Empty;

    [Length(2, 10)]
    [Pattern("^[a-z]+$")]
    [Title("A title")]
    [Example("abc")]
    [ExternalDocs("https://example.com", "More")]
    public string? MaybeText { get; set; }

    [JsonPropertyName("renamed-text")]
    [EnumValues("a", "b")]
    [DefaultValue("a")]
    public string Renamed { get; set; } = "a";

    [DefaultValue("""{"depth":3,"words":["x"]}""", Json = true)]
    public GadgetInner Inner { get; set; } = new();

    public DateTime Moment { get; set; }

    public DateTimeOffset? MaybeMoment { get; set; }

    public Guid Id { get; set; }

    [Format(null)]
    public long Unformatted { get; set; }

    [AdditionalPrinterColumn(PrinterColumnPriority.WideView, "Colour")]
    public GadgetColour Colour { get; set; }

    [Items(1, 5)]
    [XListType(XListType.Set)]
    public List<string> Names { get; set; } = [];

    [XListType(XListType.Map)]
    [XListMapKeys("type")]
    public IList<GadgetPart> Parts { get; set; } = [];

    [PropertyLimits(0, 3)]
    [XMapType(XMapType.Atomic)]
    public Dictionary<string, string> Words { get; set; } = [];

    public IDictionary<string, GadgetPart>? PartsByName { get; set; }

    [PreserveUnknownFields]
    public GadgetPart? Loose { get; set; }

    [EmbeddedResource]
    public object? Embedded { get; set; }

    public object? Anything { get; set; }

    public ResourceQuantity? Amount { get; set; }

    public IntOrString? Either { get; set; }

    public V1ConfigMap? Config { get; set; }

    public V1LabelSelector? Selector { get; set; }

    [Ignore]
    public TimeSpan Hidden { get; set; }
}

[Description("Parts of parts.")]
public sealed class GadgetInner
{
    [AdditionalPrinterColumn]
    public int Depth { get; set; }

    public string[] Words { get; set; } = [];
}

public sealed class GadgetPart
{
    [Required]
    public string Type { get; set; } = string.Empty;

    [ValidationRule("self > 0", fieldPath: ".weight", reason: "FieldValueInvalid")]
    public double Weight { get; set; }
}

public enum GadgetColour
{
    Red,

    [JsonStringEnumMemberName("light-blue")]
    LightBlue,
}

public sealed class GadgetStatus
{
    [XListType(XListType.Map)]
    [XListMapKeys("type")]
    public List<GadgetPart> Parts { get; set; } = [];

    public string? Note { get; set; }
}

/// <summary>Kinds the transpiler must refuse, each for one reason.</summary>
public static class Misfits
{
    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1", Kind = "Cyclic")]
    public sealed class Cyclic : CustomKubernetesEntity<Cyclic.Node>
    {
        public sealed class Node
        {
            public Node? Next { get; set; }
        }
    }

    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1", Kind = "Span")]
    public sealed class Span : CustomKubernetesEntity<Span.Body>
    {
        public sealed class Body
        {
            public TimeSpan Length { get; set; }
        }
    }

    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1", Kind = "Unique")]
    public sealed class Unique : CustomKubernetesEntity<Unique.Body>
    {
        public sealed class Body
        {
            [UniqueItems]
            public List<string> Names { get; set; } = [];
        }
    }

    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1", Kind = "Keyless")]
    public sealed class Keyless : CustomKubernetesEntity<Keyless.Body>
    {
        public sealed class Body
        {
            [XListType(XListType.Map)]
            [XListMapKeys("weight")]
            public List<GadgetPart> Parts { get; set; } = [];
        }
    }

    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1", Kind = "Numbers")]
    public sealed class Numbers : CustomKubernetesEntity<Numbers.Body>
    {
        public sealed class Body
        {
            [EnumValues(1, 2)]
            public string Text { get; set; } = string.Empty;
        }
    }

    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1", Kind = "Reasoned")]
    public sealed class Reasoned : CustomKubernetesEntity<Reasoned.Body>
    {
        public sealed class Body
        {
            [ValidationRule("true", reason: "Because")]
            public string Text { get; set; } = string.Empty;
        }
    }

    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1", Kind = "Column")]
    public sealed class Column : CustomKubernetesEntity<Column.Body>
    {
        public sealed class Body
        {
            [AdditionalPrinterColumn]
            public List<string> Names { get; set; } = [];
        }
    }
}

/// <summary>One kind in three versions.</summary>
public static class Versions
{
    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1alpha1", Kind = "Versioned")]
    public sealed class Alpha : CustomKubernetesEntity;

    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1", Kind = "Versioned")]
    public sealed class Final : CustomKubernetesEntity;

    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1beta2", Kind = "Versioned")]
    public sealed class Beta : CustomKubernetesEntity;

    [StorageVersion]
    [KubernetesEntity(Group = "tests.ome.io", ApiVersion = "v1beta1", Kind = "Versioned")]
    public sealed class Stored : CustomKubernetesEntity;
}

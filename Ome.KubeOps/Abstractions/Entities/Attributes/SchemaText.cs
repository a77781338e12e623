namespace KubeOps.Abstractions.Entities.Attributes;

/// <summary>The description in the schema, shown by <c>kubectl explain</c>.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public class DescriptionAttribute(string description) : Attribute
{
    public string Description => description;
}

/// <summary>The title in the schema.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public class TitleAttribute(string title) : Attribute
{
    public string Title => title;
}

/// <summary>A link to further documentation.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class ExternalDocsAttribute(string url, string? description = null) : Attribute
{
    public string Url => url;

    public string? Description => description;
}

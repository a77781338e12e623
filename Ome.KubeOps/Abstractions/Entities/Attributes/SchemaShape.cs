namespace KubeOps.Abstractions.Entities.Attributes;

/// <summary>Leaves the property, or every use of the class as an entity, out of the schema.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property)]
public class IgnoreAttribute : Attribute;

/// <summary>Fields the schema does not name survive; those it names keep their types.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public class PreserveUnknownFieldsAttribute : Attribute;

/// <summary>A whole Kubernetes object, of any kind.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class EmbeddedResourceAttribute : Attribute;

/// <summary>How server-side apply merges a list.</summary>
public enum XListType
{
    Atomic,
    Set,
    Map,
}

/// <summary><c>x-kubernetes-list-type</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class XListTypeAttribute(XListType listType) : Attribute
{
    public XListType ListType => listType;
}

/// <summary><c>x-kubernetes-list-map-keys</c>: the fields that tell items apart.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class XListMapKeysAttribute(params string[] keys) : Attribute
{
    public string[] Keys => keys;
}

/// <summary>How server-side apply merges an object.</summary>
public enum XMapType
{
    Granular,
    Atomic,
}

/// <summary><c>x-kubernetes-map-type</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class XMapTypeAttribute(XMapType mapType) : Attribute
{
    public XMapType MapType => mapType;
}

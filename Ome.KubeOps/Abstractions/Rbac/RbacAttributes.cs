namespace KubeOps.Abstractions.Rbac;

/// <summary>What may be done with a resource.</summary>
[Flags]
public enum RbacVerb
{
    None = 0,

    /// <summary>The wildcard verb.</summary>
    All = 1,
    Get = 2,
    List = 4,
    Watch = 8,
    Create = 16,
    Update = 32,
    Patch = 64,
    Delete = 128,

    /// <summary>The seven verbs by name.</summary>
    AllExplicit = 256,
}

/// <summary>A right the operator needs; attributes of all classes are merged into one role.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public abstract class RbacAttribute : Attribute;

/// <summary>Rights on kinds. A kind with a status also gets get, patch and update on its status subresource.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public class EntityRbacAttribute(params Type[] entities) : RbacAttribute
{
    public IEnumerable<Type> Entities => entities;

    public RbacVerb Verbs { get; init; }
}

/// <summary>Rights by group and resource, or on non-resource URLs.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public class GenericRbacAttribute : RbacAttribute
{
    public string[] Groups { get; init; } = [];

    public string[] Resources { get; init; } = [];

    public string[] Urls { get; init; } = [];

    public RbacVerb Verbs { get; init; }
}

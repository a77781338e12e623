using System.Reflection;

namespace KubeOps.Transpiler;

/// <summary>Finds the values of an attribute class of the user's own, whose constructor passes constants to ours.</summary>
public interface IInheritedAttributeResolver
{
    bool TryResolve(Type attributeType, out IReadOnlyDictionary<string, object?> propertyValues);
}

/// <summary>Makes an instance of the running program's class of that name and reads its properties.</summary>
public sealed class ReflectionInheritedAttributeResolver : IInheritedAttributeResolver
{
    public static readonly ReflectionInheritedAttributeResolver Default = new();

    public bool TryResolve(Type attributeType, out IReadOnlyDictionary<string, object?> propertyValues)
    {
        propertyValues = new Dictionary<string, object?>(StringComparer.Ordinal);
        var running = AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetType(attributeType.FullName!)).FirstOrDefault(type => type is not null);
        if (running?.GetConstructor(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance, []) is not { } constructor) return false;

        var instance = constructor.Invoke([]);
        propertyValues = running.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanRead && property.GetIndexParameters().Length == 0)
            .ToDictionary(property => property.Name, property => property.GetValue(instance), StringComparer.Ordinal);
        return propertyValues.Count > 0;
    }
}
